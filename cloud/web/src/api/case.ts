// A case as the API shows it: people's work on what incidents tell.
export type CaseKind = "trapped" | "fault" | "gateway_silent" | "other";
export type LegState = "standby" | "ordered" | "accepted" | "on_the_way" | "arrived" | "released" | "refused" | "stood_down";

export interface Leg {
  level: 1 | 2 | 3;
  state: LegState;
  organisation: string | null;
  ordered_at_ms: number | null;
  answered_at_ms: number | null;
  on_the_way_at_ms: number | null;
  arrived_at_ms: number | null;
  answer_due_ms: number | null;
  arrive_due_ms: number | null;
  free_due_ms: number | null;
  eta_ms: number | null;
}

export interface TimelineEntry {
  at_ms: number;
  said_at_ms: number | null;
  by: string;
  name: string;
  step: string;
  detail?: unknown;
}

export interface Case {
  id: string;
  number: string;
  rev: number;
  lift: string;
  rescue_code: string;
  kind: CaseKind;
  source: string;
  severity: number;
  incidents: string[];
  active: boolean;
  phase: string;
  acknowledged: { by: string; name: string; organisation: string; at_ms: number } | null;
  shelved: { until_ms: number; reason: string; by: string; name: string } | null;
  persons: { count: number | null; injured: boolean | null; checked_at_ms: number | null } | null;
  opened_at_ms: number;
  released_at_ms: number | null;
  closed_at_ms: number | null;
  owner: { organisation: string; name: string; role: string } | null;
  legs: Leg[];
  clocks: { name: string; due_ms: number; level: number | null }[];
  next_due_ms: number | null;
  outcome: string | null;
  cause: string | null;
  timeline: TimelineEntry[];
  steps_allowed: string[];
}
