// Words of what is known of a lift.
import { teller } from "../app/language";

export const word = teller({
  controllerFault: { zh: "控制器故障", en: "Controller fault" },
  lastKnown: { zh: "最后已知", en: "Last known" },
  person: { zh: "有人", en: "Occupied" },
  nobody: { zh: "无人", en: "nobody seen" },
  whoUnknown: { zh: "是否有人未知", en: "occupancy unknown" },
  floor: { zh: "层", en: "floor" },
  between: { zh: "层间", en: "between floors" },
});

export type Word = Parameters<typeof word>[0];
