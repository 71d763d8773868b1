// Words of the wall.
import { teller } from "../app/language";

export const word = teller({
  title: { zh: "电梯实时监控大屏", en: "Lifts, on the wall" },
  page: { zh: "第 {page} / {pages} 页", en: "Page {page} of {pages}" },
  part: { zh: "（{part}）", en: " ({part})" },
  paused: { zh: "已暂停翻页", en: "Paused" },
  stopped: { zh: "有未确认警情，停止翻页", en: "Stopped: an alarm is not acknowledged" },
  noSite: { zh: "未登记小区", en: "no site recorded" },
  noLifts: { zh: "没有电梯可显示", en: "No lifts to show" },
  pause: { zh: "暂停或继续翻页", en: "Stop or go on turning the pages" },
  next: { zh: "下一页", en: "Next page" },
  previous: { zh: "上一页", en: "Page before" },
  leave: { zh: "退出大屏", en: "Leave the wall" },
  counts: { zh: "各状态台数", en: "How many are in each state" },
});
