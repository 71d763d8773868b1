// The contacts of a case behind a button: who, for whom, and a number to tap.
import { useLang } from "../app/language";
import { dialled } from "./codes";
import { useContacts } from "./contacts";
import { word, type Word } from "./texts";

export function Contacts({ id }: { id: string }) {
  const lang = useLang();
  const { found, problem, ask, hide } = useContacts(id);
  return (
    <div className="contacts">
      <button className="button" aria-expanded={found !== null} title={word("contactsHint", lang)} onClick={found ? hide : ask}>
        {word(found ? "hide" : "contacts", lang)}
      </button>
      <small className="why-not">{word("contactsHint", lang)}</small>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {found?.length === 0 && <p className="empty">{word("contactsNone", lang)}</p>}
      {found && found.length > 0 && (
        <ul>
          {found.map((one, at) => (
            <li key={`${at}-${one.phone}`}>
              <span>
                <b>{word(`party_${one.party}` as Word, lang)}</b> {one.organisation} {one.name}
                {one.here && <i> · {word("here", lang)}</i>}
              </span>
              {one.phone ? (
                <a className="button button-action" href={`tel:${dialled(one.phone)}`}>
                  {word("call", lang, { phone: one.phone })}
                </a>
              ) : (
                <span className="empty">{word("noPhone", lang)}</span>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
