// Passkeys on the sign-in and the account page. Without this script the pages work with passwords and links.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

const withIds = (list) => (list ?? []).map((entry) => ({ ...entry, id: bytes(entry.id) }));

async function add(place) {
  const { ceremony, options } = await post("/account/passkeys/begin", {});
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: withIds(options.excludeCredentials),
    },
  });
  const credential = {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      attestationObject: text(made.response.attestationObject),
      clientDataJSON: text(made.response.clientDataJSON),
    },
  };
  await post("/account/passkeys", { ceremony, credential, name: place.querySelector("input").value });
  location.reload();
}

async function signIn(place) {
  const { ceremony, options } = await post("/sign-in/passkey/begin", {});
  const used = await navigator.credentials.get({
    publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: withIds(options.allowCredentials) },
  });
  const { authenticatorData, clientDataJSON, signature, userHandle } = used.response;
  const credential = {
    id: used.id,
    rawId: text(used.rawId),
    type: used.type,
    response: {
      authenticatorData: text(authenticatorData),
      clientDataJSON: text(clientDataJSON),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
  };
  const { next } = await post("/sign-in/passkey", { ceremony, credential, next: place.dataset.next });
  location.assign(next);
}

// A passkey is bound to a name: a browser makes none for an address in numbers.
const named = !/^[0-9.]+$|^\[/.test(location.hostname);
for (const place of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential || !named) continue;
  place.hidden = false;
  const button = place.querySelector("button");
  button.addEventListener("click", async () => {
    const problem = place.querySelector(".problem");
    problem.hidden = true;
    button.disabled = true;
    try {
      await (place.dataset.passkey === "add" ? add(place) : signIn(place));
    } catch (error) {
      console.warn(error);
      problem.hidden = false;
      button.disabled = false;
    }
  });
}
