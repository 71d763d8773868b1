// Rescue codes and telephone numbers as people read them.

/** "340117" as "340 117": three by three is how it is read out. */
export const spaced = (code: string): string => (/^\d{6}$/.test(code) ? `${code.slice(0, 3)} ${code.slice(3)}` : code);

/** The six digits in what was typed, however it was spaced; null where there are not exactly six. */
export function codeIn(text: string): string | null {
  const digits = text.replace(/[\s·-]/g, "");
  return /^\d{6}$/.test(digits) ? digits : null;
}

/** A number for a `tel:` link. */
export const dialled = (phone: string): string => phone.replace(/[^0-9+]/g, "");
