// Something that is opened when somebody wants to see it; until then it costs nothing.
import { useState, type ReactNode } from "react";

export function Fold({ summary, className, children }: { summary: ReactNode; className?: string; children: () => ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={className} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen && children()}
    </details>
  );
}
