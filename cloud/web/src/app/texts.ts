// Words of the frame: header, banners, what stands on every page.
import { teller } from "./language";

export const word = teller({
  title_live: { zh: "电梯实时监控", en: "Lifts, live" },
  title_lift: { zh: "电梯", en: "Lift" },
  title_desk: { zh: "应急处置", en: "Rescue desk" },
  title_phone: { zh: "我的任务", en: "My calls" },
  title_wall: { zh: "大屏", en: "Wall" },
  pages: { zh: "页面", en: "Pages" },
  menu: { zh: "菜单", en: "Menu" },
  live: { zh: "实时", en: "Live" },
  connecting: { zh: "连接中", en: "Connecting" },
  cutOff: { zh: "未连接", en: "Not live" },
  disconnected: {
    zh: "与服务器的连接已断开，以下数据不是当前数据；正在重新连接",
    en: "Disconnected from the server: what you see is not current. Connecting again",
  },
  silentGateway: { zh: "网关 {gateway} 无信号；最后有人或在运行的电梯：{lifts}", en: "Gateway {gateway} is silent; lifts last seen occupied or moving: {lifts}" },
  none: { zh: "无", en: "none" },
  account: { zh: "账户", en: "Account" },
  theme: { zh: "配色", en: "Colours" },
  theme_system: { zh: "跟随系统", en: "As the system" },
  theme_dark: { zh: "深色", en: "Dark" },
  theme_light: { zh: "浅色", en: "Light" },
  keys: { zh: "快捷键", en: "Keys" },
  keysOn: { zh: "启用单键快捷键", en: "Keys of one letter are on" },
  close: { zh: "关闭", en: "Close" },
  loading: { zh: "加载中…", en: "Loading…" },
  notThere: { zh: "没有这个页面", en: "There is no such page" },
  toLive: { zh: "返回实时监控", en: "To the live view" },
  broken: { zh: "本页出错，正在重新加载", en: "The page has failed and is loading anew" },
});
