// The page of one lift.
import { useLang } from "../app/language";
import { useLift } from "../world/store";
import { Health } from "./Health";
import { History } from "./History";

export default function LiftPage({ parts }: { parts: Record<string, string> }) {
  const lang = useLang();
  const lift = useLift(parts.lift!);
  if (!lift) return null;
  return (
    <>
      <History lift={lift} lang={lang} />
      <Health lift={lift} lang={lang} />
    </>
  );
}
