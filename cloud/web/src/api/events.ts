// Server-sent events over fetch: unlike EventSource it tells a refusal's status, and comes back with the last id also when it was cut by us.

export interface Message {
  event: string;
  data: string;
  id: string | null;
}

/** Bytes in pieces of any size in, whole messages out. */
export class Parser {
  private rest = "";

  push(text: string): Message[] {
    const blocks = (this.rest + text).split("\n\n");
    this.rest = blocks.pop()!;
    return blocks.map((block) => {
      const found: Message = { event: "message", data: "", id: null };
      for (const line of block.split("\n")) {
        const at = line.indexOf(":");
        const value = line.slice(at + 1).replace(/^ /, "");
        if (line.startsWith("event:")) found.event = value;
        else if (line.startsWith("id:")) found.id = value;
        else if (line.startsWith("data:")) found.data += found.data ? `\n${value}` : value;
      }
      return found;
    });
  }
}

interface Handlers {
  message: (message: Message) => void;
  /** Refused: its status, 0 where the server was not reached. */
  refused: (status: number) => void;
}

// A connection that hangs gives no error: the server's heartbeat comes every 5 s.
export const SILENT_MS = 12_000;
const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 3000;

/** Listens for ever, on one connection at a time. */
export class Events {
  private lastId: string | null = null;
  private cut: AbortController | null = null;
  private heardAt = 0;
  private waitMs = FIRST_WAIT_MS;
  private wake: (() => void) | null = null;
  private stopped = false;

  constructor(
    private readonly path: string,
    private readonly handlers: Handlers,
  ) {}

  async run(): Promise<void> {
    const guard = setInterval(() => this.cut && performance.now() - this.heardAt > SILENT_MS && this.cut.abort(), SILENT_MS / 6);
    while (!this.stopped) {
      await this.once();
      if (this.stopped) break;
      // Not all pages at once when a server comes back.
      const waitMs = this.waitMs * (0.5 + Math.random() / 2);
      this.waitMs = Math.min(LAST_WAIT_MS, this.waitMs * 2);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, waitMs);
      });
    }
    clearInterval(guard);
  }

  /** Begin a new connection now: what the old one told may be old. */
  again(): void {
    this.waitMs = FIRST_WAIT_MS;
    this.cut?.abort();
    this.wake?.();
  }

  stop(): void {
    this.stopped = true;
    this.cut?.abort();
    this.wake?.();
  }

  private async once(): Promise<void> {
    const cut = (this.cut = new AbortController());
    this.heardAt = performance.now();
    try {
      const headers: Record<string, string> = this.lastId === null ? {} : { "Last-Event-ID": this.lastId };
      const answer = await fetch(this.path, { headers, signal: cut.signal, cache: "no-store" });
      if (!answer.ok || !answer.body) {
        this.handlers.refused(answer.status);
        return;
      }
      const parser = new Parser();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        this.heardAt = performance.now();
        this.waitMs = FIRST_WAIT_MS;
        for (const message of parser.push(value)) {
          this.handlers.message(message);
          if (message.id !== null) this.lastId = message.id;
        }
      }
    } catch {
      if (!this.stopped) this.handlers.refused(0);
    } finally {
      this.cut = null;
    }
  }
}
