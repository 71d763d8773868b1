// Words of the page of one lift.
import { teller } from "../app/language";

export const word = teller({
  history: { zh: "最近 10 分钟", en: "Last 10 minutes" },
  close: { zh: "关闭", en: "Close" },
  noHistory: { zh: "此时段没有记录", en: "No records in this time" },
  historyFailed: { zh: "历史数据读取失败", en: "History could not be read" },
  rescue: { zh: "救援识别码", en: "Rescue code" },
  controllerFault: { zh: "控制器故障", en: "Controller fault" },
  lastKnown: { zh: "最后已知", en: "Last known" },
});

export type Word = Parameters<typeof word>[0];
