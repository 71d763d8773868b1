// What the phone keeps in the browser's own database: the queue of what was not sent yet, and the last list of cases.
import type { Case } from "../api/case";

/** Said on the phone and not answered by the server yet. `n` is its place in the queue. */
export interface Item {
  n?: number;
  op: string;
  person: string; // who said it: nobody else's session sends it
  case: string;
  kind: "step" | "photo";
  step: string;
  args: Record<string, unknown>;
  photo: Blob | null;
  preview: string; // a small picture as a data URL; empty for steps
  atMs: number; // by the phone's own clock
  tries: number;
  behind: boolean; // others waited already: it was not said with a line
  /** Refused for good, and why; null while it waits. */
  refused: Refused | null;
}

export interface Refused {
  status: number;
  reason: string;
  text: string;
  /** It stands in the case's timeline all the same. */
  kept: boolean;
}

export interface KeptLift {
  id: string;
  name: string;
  site: string;
  address: string;
  at: [number, number] | null; // latitude, longitude
}

/** As the server told it last. No names or numbers of callers. */
export interface Kept {
  person: string;
  organisations: string[];
  atMs: number; // by the phone's own clock
  cases: Case[];
  lifts: KeptLift[];
  kinds: Record<string, string>; // fault of an incident by its id
}

const NAME = "liftwatch-phone";
const QUEUE = "queue";
const KEPT = "kept";
const LIST = "list";

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore(QUEUE, { keyPath: "n", autoIncrement: true });
      asked.result.createObjectStore(KEPT);
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("no database"));
  });
  return opened;
}

async function within<T>(name: string, mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(name, mode);
    const asked = work(transaction.objectStore(name));
    // Not before it is on disk: what was said must outlive the page.
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("not kept"));
  });
}

export const readQueue = (): Promise<Item[]> => within(QUEUE, "readonly", (store) => store.getAll() as IDBRequest<Item[]>);
export const addItem = (item: Item): Promise<unknown> => within(QUEUE, "readwrite", (store) => store.add(item));
export const putItem = (item: Item): Promise<unknown> => within(QUEUE, "readwrite", (store) => store.put(item));
export const dropItem = (n: number): Promise<unknown> => within(QUEUE, "readwrite", (store) => store.delete(n));
export const readKept = (): Promise<Kept | undefined> => within(KEPT, "readonly", (store) => store.get(LIST) as IDBRequest<Kept | undefined>);
export const putKept = (kept: Kept): Promise<unknown> => within(KEPT, "readwrite", (store) => store.put(kept, LIST));
export const dropKept = (): Promise<unknown> => within(KEPT, "readwrite", (store) => store.delete(LIST));
