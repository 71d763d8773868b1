// The one way to the API: deadlines, problem details (RFC 9457), and back to the sign-in page when the session has ended.
import { teller, type Lang } from "../app/language";

const DEADLINE_MS = 15_000;

/** The API refused, or could not be reached (status 0). `body` is the problem document, with what a 409 adds to it. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly body: unknown = null,
    readonly retryS: number | null = null,
  ) {
    super(title);
  }
}

interface Options {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown; // goes as JSON; a Blob or FormData as it is
  headers?: Record<string, string>;
  signal?: AbortSignal;
  deadlineMs?: number;
}

/** The session has ended: sign in, and come back to the same view. */
export function signIn(): void {
  location.assign(`/sign-in?${new URLSearchParams({ next: location.pathname + location.search }).toString()}`);
}

/** The raw answer of a call that went well; ApiProblem else. Changing calls are told from foreign ones by the Origin that browsers send. */
export async function answerOf(path: string, options: Options = {}): Promise<Response> {
  const { method = "GET", body, headers = {}, signal, deadlineMs = DEADLINE_MS } = options;
  const raw = body instanceof Blob || body instanceof FormData;
  const deadline = AbortSignal.timeout(deadlineMs);
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined || raw ? headers : { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiProblem(0, error instanceof Error ? error.message : String(error));
  }
  if (answer.ok) return answer;
  const found = (await answer.json().catch(() => null)) as { title?: string } | null;
  if (answer.status === 401) signIn();
  throw new ApiProblem(answer.status, found?.title ?? answer.statusText, found, Number(answer.headers.get("Retry-After")) || null);
}

/** The JSON of an answer. */
export async function call<T>(path: string, options: Options = {}): Promise<T> {
  const answer = await answerOf(path, options);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

const word = teller({
  unreachable: { zh: "无法连接服务器，请检查网络后重试", en: "The server cannot be reached: check the network and try again" },
  "403": { zh: "您的角色无此权限", en: "Your role does not allow this" },
  "404": { zh: "不存在，或不在您的管辖范围内", en: "It is not there, or not among what you may see" },
  "409": { zh: "状态已被他人更改，请核对后再操作", en: "Somebody has changed it meanwhile: look again" },
  "422": { zh: "请求内容有误：{title}", en: "The request is not understood: {title}" },
  "429": { zh: "请求过于频繁，请稍候再试", en: "Too many requests: wait a little" },
  "502": { zh: "网关无法给出结果", en: "The gateway could not answer this" },
  "503": { zh: "网关未连接，恢复连接后即可查询", en: "The gateway is not connected: this is there when it is" },
  "504": { zh: "网关未及时应答，请缩小范围或重试", en: "The gateway did not answer in time: ask for less, or again" },
  other: { zh: "服务器出错（{status}）", en: "The server failed ({status})" },
});
const KNOWN = ["403", "404", "409", "422", "429", "502", "503", "504"] as const;

/** What to tell a person. */
export function problemText(error: unknown, lang: Lang): string {
  if (!(error instanceof ApiProblem)) return word("other", lang, { status: String(error).slice(0, 80) });
  if (error.status === 0) return word("unreachable", lang);
  const known = KNOWN.find((status) => status === String(error.status));
  return known ? word(known, lang, { title: error.title }) : word("other", lang, { status: error.status });
}
