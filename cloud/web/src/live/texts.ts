// Words of the live view.
import { teller } from "../app/language";

export const word = teller({
  lifts: { zh: "电梯", en: "Lifts" },
  noLifts: {
    zh: "没有电梯：尚无网关连接，或尚未分配给您",
    en: "No lifts: no gateway has connected yet, or none is assigned to you",
  },
  since: { zh: "自", en: "since" },
  stale: { zh: "数据过期", en: "Stale" },
  offline: { zh: "离线", en: "Offline" },
  bus_silent: { zh: "控制器无应答", en: "Controller silent" },
  unknown: { zh: "未知", en: "Unknown" },
  trapped: { zh: "困人", en: "Trapped" },
  good: { zh: "正常", en: "Good" },
  noMains: { zh: "停电", en: "No mains" },
  floor: { zh: "层", en: "floor" },
  between: { zh: "层间", en: "between floors" },
  atWork: { zh: "维保作业中", en: "Technician at work" },
  person: { zh: "有人", en: "Occupied" },
  none: { zh: "无", en: "none" },
});

export type Word = Parameters<typeof word>[0];
