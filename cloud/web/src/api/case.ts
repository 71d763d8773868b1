// A case as the API shows it: people's work on what incidents tell.
export type { Case, CodeFound, Contact, LegShown as Leg, PhotoShown as Photo, StepRefusal, TimelineEntry } from "../generated/api";
