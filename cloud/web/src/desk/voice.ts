// Where speech with a car comes in. No endpoint of a car is known to the cloud yet, so there is no voice to give.

export type VoiceState = "idle" | "calling" | "talking" | "failed";

export interface Voice {
  state: VoiceState;
  /** Why it failed, in the reader's words; empty else. */
  why: string;
  /** When the talk began, unix ms by the server's clock. */
  sinceMs: number | null;
  call: () => void;
  hangUp: () => void;
}

/** The voice path of a lift's car; null where none is known. */
export const useVoice = (_lift: string): Voice | null => null;
