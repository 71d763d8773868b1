// What is known of one lift now: where its car is, each value with its age and quality, faults with what to do, its link.
import { useEffect, useState } from "react";
import { AlarmCard } from "../alarm/AlarmCard";
import { alarmsOf } from "../alarm/alarms";
import "../alarm/alarm.css";
import { call } from "../api/client";
import { Age } from "../app/Age";
import { dayAndClock, number } from "../app/format";
import { useLang, type Lang } from "../app/language";
import { useNow } from "../app/time";
import type { Health } from "../generated/api";
import { FAULTS, FIELDS } from "../generated/contract";
import { Counts } from "../incidents/Why";
import { heightOf, shaftOf, type Shaft } from "../shaft/geometry";
import { ShaftDrawing, wholeOf, zoomOf } from "../shaft/ShaftDrawing";
import { isGone, severityOf, type FaultName, type Lift, type State } from "../world/model";
import { useCases, useIncidents, useTrouble } from "../world/store";
import { controllerFault, faultTitle } from "../world/words";
import { placeText } from "./place";
import type { Value } from "./series";
import { word } from "./texts";
import { FIELD_NAMES, written, type Field } from "./values";

const COUNTERS = ["starts", "run_hours", "door_cycles"] as const;
const HEIGHT = 420;

const valueOf = (state: State, field: Field): Value =>
  field === "door_1" ? (state.doors[0] ?? null) : field === "door_2" ? (state.doors[1] ?? null) : state[field];

export function Now({ lift }: { lift: Lift }) {
  return (
    <div className="now">
      <div>
        <ShaftPanel lift={lift} />
      </div>
      <div>
        <Cases lift={lift} />
        <Faults lift={lift} />
        <Values lift={lift} />
      </div>
      <div>
        <LinkPanel lift={lift} />
        <Counters lift={lift} />
      </div>
    </div>
  );
}

function ShaftPanel({ lift }: { lift: Lift }) {
  const lang = useLang();
  const kind = useTrouble(lift.id);
  const gone = isGone(lift);
  const shaft = shaftOf(lift);
  const state = gone && lift.last_known ? lift.last_known.state : lift.state;
  const sill = heightOf(state, shaft);
  const zoom = sill === null ? null : zoomOf(shaft, sill, 220, HEIGHT);
  const place = placeText(state, shaft, lang);
  return (
    <section aria-label={word("shaft", lang)}>
      <h2>{word("shaft", lang)}</h2>
      <div className="shafts">
        <ShaftDrawing shaft={shaft} view={wholeOf(shaft, 84, HEIGHT, 34)} state={state} kind={kind} gone={gone} frame={zoom} />
        {zoom && <ShaftDrawing shaft={shaft} view={zoom} state={state} kind={kind} gone={gone} offset={place} />}
      </div>
      <p className={gone ? "place place-old" : "place"}>
        {gone && <>{lift.last_known?.at_ms ? word("lastKnownAt", lang, { time: dayAndClock(lift.last_known.at_ms, lang) }) : word("lastKnown", lang)}: </>}
        {place}
      </p>
    </section>
  );
}

function Cases({ lift }: { lift: Lift }) {
  const cases = useCases();
  const incidents = useIncidents();
  useNow(1000);
  return alarmsOf(cases)
    .filter((alarm) => alarm.lift === lift.id)
    .map((alarm) => <AlarmCard key={alarm.cases[0]!.id} alarm={alarm} incidents={incidents} hint={false} selected={false} isHere />);
}

function Faults({ lift }: { lift: Lift }) {
  const lang = useLang();
  const names = [...lift.state.faults].sort((a, b) => severityOf(b) - severityOf(a));
  return (
    <section className="faults" aria-label={word("faults", lang)}>
      <h2>{word("faults", lang)}</h2>
      {names.length === 0 && !lift.controller_fault && <p className="empty">{word(isGone(lift) ? "faultsUnknown" : "noFaults", lang)}</p>}
      {names.map((name) => {
        const known = FAULTS[name as FaultName];
        const isWithheld = lift.state.withheld.includes(name);
        return (
          <article key={name} className={`fault fault-${isWithheld ? 1 : severityOf(name)}`}>
            <h3>
              {severityOf(name) >= 4 ? "▲" : severityOf(name) > 1 ? "◆" : "⚒"} {faultTitle(name, lang)}
              {isWithheld && <small> · {word("withheld", lang)}</small>}
            </h3>
            {known && (
              <p>
                {known.meaning[lang]}
                <br />
                <b>{word("remedy", lang)}</b>
                {known.remedy[lang]}
              </p>
            )}
          </article>
        );
      })}
      {lift.controller_fault && (
        <article className="fault fault-2">
          <h3>◆ {controllerFault(lift.controller_fault, lang)}</h3>
          <p>
            <b>{word("remedy", lang)}</b>
            {lift.controller_fault.remedy[lang]}
          </p>
        </article>
      )}
      <Counts lift={lift} lang={lang} />
    </section>
  );
}

/** Each value with how old it is: what comes over the bus has the age of its sample, the rest that of the node's message. */
function Values({ lift }: { lift: Lift }) {
  const lang = useLang();
  const shaft = shaftOf(lift);
  const gone = isGone(lift);
  const shown = FIELD_NAMES.filter((name) => !(COUNTERS as readonly string[]).includes(name) && (name !== "door_2" || lift.doors > 1));
  return (
    <section className="values" aria-label={word("values", lang)}>
      <h2>{word("values", lang)}</h2>
      <table>
        <thead>
          <tr>
            {(["item", "value", "age", "quality"] as const).map((name) => (
              <th key={name} scope="col">
                {word(name, lang)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((name) => (
            <Row key={name} name={name} lift={lift} shaft={shaft} gone={gone} lang={lang} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ name, lift, shaft, gone, lang }: { name: Field; lift: Lift; shaft: Shaft; gone: boolean; lang: Lang }) {
  const value = gone ? null : valueOf(lift.state, name);
  const isBus = FIELDS[name].source === "bus";
  const quality = gone ? lift.quality : isBus && lift.quality === "bus_silent" ? "bus_silent" : value === null ? "unknown" : "good";
  return (
    <tr className={value === null ? "row-unknown" : ""}>
      <th scope="row">{FIELDS[name][lang]}</th>
      <td className="figures">{written(name, value, shaft, lang)}</td>
      <td>{quality !== "unknown" && <Age ms={isBus ? lift.age_ms : lift.link_age_ms} seenAt={lift.seenAt} lang={lang} />}</td>
      <td>{word(`quality_${quality}`, lang)}</td>
    </tr>
  );
}

function LinkPanel({ lift }: { lift: Lift }) {
  const lang = useLang();
  const none = word("notTold", lang);
  const cost = lift.link_bytes_month;
  const rows: [Parameters<typeof word>[0], React.ReactNode][] = [
    ["quality", word(`quality_${lift.quality}`, lang)],
    ["sampleAge", <Age key="s" ms={lift.age_ms} seenAt={lift.seenAt} lang={lang} />],
    ["linkAge", <Age key="l" ms={lift.link_age_ms} seenAt={lift.seenAt} lang={lang} />],
    ["period", `${number(lift.period_ms / 1000, lang, 1)} s`],
    ["roundTrip", lift.rtt_ms == null ? none : `${number(lift.rtt_ms, lang, 0)} ms`],
    ["signal", lift.rssi_dbm == null ? none : `${number(lift.rssi_dbm, lang, 0)} dBm`],
    ["firmware", lift.firmware ?? none],
    ["boot", lift.boot || none],
    ["profile", lift.profile ?? none],
    ["gateway", lift.gateway],
    ["cost", cost == null ? none : `${number(cost / 1e6, lang, 1)} MB`],
  ];
  return (
    <section className="link" aria-label={word("link", lang)}>
      <h2>{word("link", lang)}</h2>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{word(name, lang)}</dt>
            <dd className="figures">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** What the gateway has counted of its travel, m; null until it is read, or where nothing was counted. */
function useTravel(lift: string): number | null {
  const [metres, setMetres] = useState<number | null>(null);
  useEffect(() => {
    let gone = false;
    setMetres(null);
    void call<Health>(`/api/v1/lifts/${encodeURIComponent(lift)}/health`)
      .then((found) => !gone && setMetres(found.usage.find((one) => one.name === "travel_m")?.total ?? null))
      .catch(() => undefined); // then it is not told
    return () => void (gone = true);
  }, [lift]);
  return metres;
}

function Counters({ lift }: { lift: Lift }) {
  const lang = useLang();
  const travel = useTravel(lift.id);
  const shaft = shaftOf(lift);
  const state = isGone(lift) ? (lift.last_known?.state ?? lift.state) : lift.state;
  return (
    <section className="link" aria-label={word("counters", lang)}>
      <h2>{word("counters", lang)}</h2>
      {isGone(lift) && <p className="empty">{word("lastKnown", lang)}</p>}
      <dl>
        {COUNTERS.map((name) => (
          <div key={name}>
            <dt>{word(name, lang)}</dt>
            <dd className="figures">{written(name, state[name], shaft, lang)}</dd>
          </div>
        ))}
        <div>
          <dt>{word("way", lang)}</dt>
          <dd className="figures">{travel === null ? word("notTold", lang) : `${number(travel / 1000, lang, 1)} km`}</dd>
        </div>
      </dl>
    </section>
  );
}
