// Passkeys cannot be used without a script; everything else on these pages can. A form with `data-passkey` stays hidden until
// this browser is found able: `get` asks the authenticator for a signature, `create` for a new key. The answer goes into the
// form, which is then sent like any other.
"use strict";

const fromBase64Url = (text) => {
  const padded = text.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(text.length / 4) * 4, "=");
  return Uint8Array.from(atob(padded), (character) => character.charCodeAt(0));
};

const toBase64Url = (buffer) => {
  const text = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};

const withBytes = (descriptors) => (descriptors || []).map((one) => ({ ...one, id: fromBase64Url(one.id) }));

const readOptions = (options) => ({
  ...options,
  challenge: fromBase64Url(options.challenge),
  ...(options.user && { user: { ...options.user, id: fromBase64Url(options.user.id) } }),
  ...(options.allowCredentials && { allowCredentials: withBytes(options.allowCredentials) }),
  ...(options.excludeCredentials && { excludeCredentials: withBytes(options.excludeCredentials) }),
});

// Written out: `toJSON()` is not in every browser that has passkeys.
const write = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toBase64Url(credential.response[name]);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: toBase64Url(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment || undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  });
};

const use = async (form) => {
  const answer = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (!answer.ok) throw new Error(`options: ${answer.status}`);
  const asked = await answer.json();
  const publicKey = readOptions(asked.options);
  const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
  form.elements.challenge_id.value = asked.challenge_id;
  form.elements.credential.value = write(credential);
  form.submit();
};

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const problem = form.querySelector(".problem");
      problem.hidden = true;
      use(form).catch(() => {
        problem.hidden = false;
      });
    });
  }
}
