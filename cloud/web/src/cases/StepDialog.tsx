// A form for one step of a case. It stays open, with the reason, where the server refused.
import { useEffect, useId, useRef, useState } from "react";
import { useLang } from "../app/language";
import { word } from "./texts";

export interface FieldSpec {
  name: string;
  label: string;
  kind: "text" | "long" | "number" | "tel" | "choice" | "check";
  required?: boolean;
  options?: readonly { value: string; label: string; group?: string }[];
  value?: string | boolean;
  max?: number;
}

export interface FormSpec {
  title: string;
  explains?: string;
  fields: readonly FieldSpec[];
  confirm: string;
  danger?: boolean;
}

export type Values = Record<string, string | boolean>;

const first = (fields: readonly FieldSpec[]): Values => Object.fromEntries(fields.map((field) => [field.name, field.value ?? (field.kind === "check" ? false : "")]));

interface Props {
  form: FormSpec;
  busy: boolean;
  problem: string;
  onSend: (values: Values) => void;
  onClose: () => void;
}

export function StepDialog({ form, busy, problem, onSend, onClose }: Props) {
  const lang = useLang();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState(() => first(form.fields));
  useEffect(() => {
    const before = document.activeElement;
    if (!dialog.current?.open) dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const set = (name: string, value: string | boolean) => setValues((was) => ({ ...was, [name]: value }));
  const missing = form.fields.some((field) => field.required && !String(values[field.name]).trim());
  return (
    <dialog ref={dialog} className="dialog step-dialog" aria-labelledby={id} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!missing && !busy) onSend(values);
        }}
      >
        <h2 id={id}>{form.title}</h2>
        {form.explains && <p>{form.explains}</p>}
        {form.fields.map((field, at) => (
          <Field key={field.name} field={field} value={values[field.name]!} set={(value) => set(field.name, value)} isFirst={at === 0} />
        ))}
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="buttons">
          <button className={`button ${form.danger ? "button-danger" : "button-action"}`} disabled={busy || missing}>
            {form.confirm}
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {word("cancel", lang)}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function Field({ field, value, set, isFirst }: { field: FieldSpec; value: string | boolean; set: (value: string | boolean) => void; isFirst: boolean }) {
  const lang = useLang();
  const label = field.required ? `${field.label} ${word("needed", lang)}` : field.label;
  if (field.kind === "check")
    return (
      <label className="check">
        <input type="checkbox" checked={value === true} onChange={(event) => set(event.target.checked)} autoFocus={isFirst} /> {field.label}
      </label>
    );
  const shared = { value: String(value), required: field.required, autoFocus: isFirst, onChange: (event: { target: { value: string } }) => set(event.target.value) };
  return (
    <label className="field">
      {label}
      {field.kind === "choice" ? (
        <select {...shared}>
          <Options field={field} />
        </select>
      ) : field.kind === "long" ? (
        <textarea rows={3} maxLength={1000} {...shared} />
      ) : (
        <input type={field.kind} min={0} max={field.max ?? 200} maxLength={field.kind === "number" ? undefined : 200} {...shared} />
      )}
    </label>
  );
}

function Options({ field }: { field: FieldSpec }) {
  const groups = [...new Set(field.options?.map((option) => option.group ?? ""))];
  const of = (group: string) =>
    field.options
      ?.filter((option) => (option.group ?? "") === group)
      .map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ));
  return (
    <>
      <option value="">–</option>
      {groups.map((group) => (group ? <optgroup key={group} label={group}>{of(group)}</optgroup> : of(group)))}
    </>
  );
}

/** A number that was typed; null where nothing was. */
export const numberOf = (value: string | boolean | undefined): number | null => (typeof value === "string" && /^\d+$/.test(value.trim()) ? Number(value) : null);
