// All words of the page. Words of the contract (fields, enumerations, faults) come from generated/contract.ts.
import type { FaultWord, State } from "./model";

export type Lang = "zh" | "en";

const WORDS = {
  title: { zh: "电梯实时监控", en: "Lifts, live" },
  live: { zh: "实时", en: "Live" },
  disconnected: {
    zh: "与服务器的连接已断开，以下数据不是当前数据",
    en: "Disconnected from the server: what you see is not current",
  },
  silentGateway: { zh: "网关无信号，最后有人或在运行的电梯：", en: "Gateway silent; lifts last seen occupied or moving:" },
  none: { zh: "无", en: "none" },
  lifts: { zh: "电梯", en: "Lifts" },
  incidents: { zh: "事件", en: "Incidents" },
  noLifts: {
    zh: "没有电梯：尚无网关连接，或尚未分配给您",
    en: "No lifts: no gateway has connected yet, or none is assigned to you",
  },
  account: { zh: "账户", en: "Account" },
  noIncidents: { zh: "没有未结束的事件", en: "No open incidents" },
  closedBefore: { zh: "已结束", en: "Closed" },
  since: { zh: "自", en: "since" },
  stale: { zh: "数据过期", en: "Stale" },
  offline: { zh: "离线", en: "Offline" },
  bus_silent: { zh: "控制器无应答", en: "Controller silent" },
  unknown: { zh: "未知", en: "Unknown" },
  good: { zh: "正常", en: "Good" },
  lastKnown: { zh: "最后已知", en: "Last known" },
  person: { zh: "有人", en: "Occupied" },
  noMains: { zh: "停电", en: "No mains" },
  floor: { zh: "层", en: "floor" },
  between: { zh: "层间", en: "between floors" },
  onset: { zh: "发生", en: "onset" },
  detected: { zh: "判定", en: "detected" },
  published: { zh: "上报", en: "published" },
  received: { zh: "收到", en: "received" },
  committed: { zh: "落盘", en: "committed" },
  city: { zh: "96333 平台（模拟）", en: "96333 platform (mock)" },
  cloud: { zh: "云端", en: "cloud" },
  waiting: { zh: "未回执", en: "no receipt yet" },
  notMapped: { zh: "不上报", en: "not pushed" },
  notPushed: { zh: "暂不上报", en: "withheld" },
  withheld_work: { zh: "作业期间：不上报城市平台", en: "at work: told to no city" },
  withheld_filter: { zh: "门开在平层：按钮报警不上报", en: "door open at a floor: told to no city" },
  atWork: { zh: "维保作业中", en: "Technician at work" },
  why: { zh: "判定依据", en: "Why" },
  clearsWhen: { zh: "解除条件：", en: "Ends when:" },
  or: { zh: "；或 ", en: "; or " },
  nearMisses: { zh: "接近判定（未达到）：", en: "Nearly told:" },
  suppressed: { zh: "已抑制：", en: "Suppressed:" },
  history: { zh: "最近 10 分钟", en: "Last 10 minutes" },
  close: { zh: "关闭", en: "Close" },
  noHistory: { zh: "此时段没有记录", en: "No records in this time" },
  historyFailed: { zh: "历史数据读取失败", en: "History could not be read" },
  phase_open: { zh: "未结束", en: "open" },
  phase_updated: { zh: "已更新", en: "updated" },
  phase_closed: { zh: "已结束", en: "closed" },
  ago: { zh: "前", en: "ago" },
  code: { zh: "国标代码", en: "code" },
  controllerFault: { zh: "控制器故障", en: "Controller fault" },
  rescue: { zh: "救援识别码", en: "Rescue code" },
  lifts_of: { zh: "台，共", en: "of" },
  lifts_known: { zh: "台", en: "lifts" },
  sites: { zh: "个小区", en: "sites" },
  members: { zh: "处置顺序", en: "In the order in which they are looked after" },
  moreMembers: { zh: "其余", en: "more" },
  moreUnlisted: { zh: "台未列出，各有单独事件", en: "not listed; each has an incident of its own" },
  waits: { zh: "已等待", en: "waiting" },
  now: { zh: "当前", en: "now" },
  nobody: { zh: "无人", en: "nobody seen" },
  whoUnknown: { zh: "是否有人未知", en: "occupancy unknown" },
  mergedInto: { zh: "已并入更大范围的事件", en: "taken into a wider event" },
  error: { zh: "时间误差", en: "clock error" },
  health: { zh: "健康状况", en: "Health" },
  noHealthYet: { zh: "网关尚未上报本梯的健康状况", en: "The gateway has told nothing of this lift's health yet" },
  healthFailed: { zh: "健康状况读取失败", en: "The health could not be read" },
  noScore: { zh: "暂无评分", en: "no score" },
  knownShare: { zh: "已知权重 {known}%。", en: "{known} % of the weight is known." },
  lowest: { zh: "最低项：", en: "Lowest:" },
  asOf: { zh: "截至", en: "as of" },
  days: { zh: "天", en: "days" },
  daysSince: { zh: "自 {first} 起共 {days} 天", en: "{days} days since {first}" },
  noDays: { zh: "尚无完整的一天", en: "no whole day yet" },
  today: { zh: "今天", en: "Today" },
  daysOfLine: { zh: "天数据", en: "days of data" },
  partsCaption: { zh: "健康评分的各项", en: "The parts of the health score" },
  part: { zh: "项目", en: "Part" },
  mark: { zh: "评分", en: "Mark" },
  value: { zh: "近 7 天", en: "Last 7 days" },
  firstWeeks: { zh: "最初两周", en: "First weeks" },
  course: { zh: "趋势", en: "Trend" },
  whyUnknown: { zh: "原因", en: "Why" },
  notKnown: { zh: "未知", en: "not known" },
  noTrend: { zh: "尚无趋势", en: "no trend yet" },
  course_worse: { zh: "变差", en: "getting worse" },
  course_better: { zh: "好转", en: "getting better" },
  course_steady: { zh: "平稳", en: "steady" },
  course_more: { zh: "增多", en: "more" },
  course_less: { zh: "减少", en: "less" },
  badIn: { zh: "约 {weeks} 周后达到下限", en: "at its limit in {weeks} weeks" },
  level_good: { zh: "良好", en: "good" },
  level_watch: { zh: "关注", en: "watch" },
  level_act: { zh: "处理", en: "act" },
  limits: { zh: "不超过 {good} 为满分，达到 {bad} 为 0 分", en: "Full mark up to {good}, none from {bad} on" },
  ownLimits: { zh: "；与最初两周相比，{good} 倍以内满分，{bad} 倍起 0 分", en: "; of its own first weeks up to {good} times and from {bad} times on" },
  weight: { zh: "。权重", en: ". Weight" },
  whatToDo: { zh: "处理建议：", en: "What to do:" },
  usage: { zh: "使用情况（不评分）", en: "Use (no mark)" },
  aDay: { zh: "/ 天", en: "a day" },
  sinceEver: { zh: "累计", en: "since ever" },
  oursNote: {
    zh: "权重与限值均由 Liftwatch 自定，不是任何标准的规定；未知项不计分，也不视为良好。",
    en: "Weights and limits are Liftwatch's own and no standard's. What is not known has no mark, and is not taken for good.",
  },
} as const;

export type Word = keyof typeof WORDS;

export const word = (name: Word, lang: Lang): string => WORDS[name][lang];

/** "Controller fault 41: Safety circuit open"; a word without a name has its number in the cause already. */
export const controllerFault = (fault: FaultWord, lang: Lang): string =>
  `${word("controllerFault", lang)}${fault.known ? ` ${fault.word}` : ""}: ${fault.cause[lang]}`;

export function age(ms: number | null, lang: Lang): string {
  if (ms === null) return "–";
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return lang === "zh" ? `${m} 分 ${Math.round(s % 60)} 秒` : `${m} min ${Math.round(s % 60)} s`;
  const h = Math.floor(m / 60);
  return lang === "zh" ? `${h} 小时 ${m % 60} 分` : `${h} h ${m % 60} min`;
}

export const atFloor = (floor: number, lang: Lang): string =>
  lang === "zh" ? `${floor} ${word("floor", lang)}` : `${word("floor", lang)} ${floor}`;

/** "Last known 14:03:22: occupied · floor 3 · between floors". */
export function lastKnown(state: Partial<State>, at: number, lang: Lang): string {
  const who = state.passenger === true ? word("person", lang) : state.passenger === false ? word("nobody", lang) : word("whoUnknown", lang);
  const floor = state.floor == null ? [] : [atFloor(state.floor, lang)];
  const between = state.door_zone === false ? [word("between", lang)] : [];
  return `${word("lastKnown", lang)} ${clock(at, lang)}: ${[who, ...floor, ...between].join(" · ")}`;
}

export const clock = (ms: number, lang: Lang): string =>
  new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  }).format(ms);
