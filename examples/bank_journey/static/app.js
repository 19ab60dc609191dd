// Search as you type, pages that follow an approval or a payment, and logos that don't load. Without it all pages work.

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const byId = (id) => document.getElementById(id);

const say = (id, text) => { // only what is new is read out
  const element = byId(id);
  if (element && element.textContent !== text) element.textContent = text;
};

/** Puts the cursor where the page wants attention, such as at the summary of a form's errors. */
document.querySelector("[data-focus]")?.focus();

/** A logo that has loaded covers the initials below it. */
function showLogos(root) {
  for (const logo of root.querySelectorAll("img[data-logo]")) {
    const show = () => logo.classList.add("loaded");
    if (logo.complete && logo.naturalWidth) show();
    else logo.addEventListener("load", show);
  }
}
showLogos(document);

/** Search as you type: asks for the page, and takes over its results. */
for (const form of document.querySelectorAll("form[data-live]")) {
  let asked = 0;
  const search = async () => {
    const number = ++asked;
    await pause(0.25);
    if (number !== asked) return; // more was typed
    const address = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
    const text = await fetch(address, { headers: { "X-Part": "results" } })
      .then((answer) => (answer.ok ? answer.text() : null))
      .catch(() => null);
    if (text === null || number !== asked) return;
    const page = new DOMParser().parseFromString(text, "text/html");
    byId("results").replaceChildren(...page.getElementById("results").childNodes);
    say("found", page.getElementById("found").textContent); // the same element, so that it is read out
    showLogos(byId("results"));
    history.replaceState(null, "", address);
  };
  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
  const typed = form.elements.q;
  if (typed.value !== typed.defaultValue) search(); // something was typed before this script had loaded
}

/** Asks an address again and again, until what it says is over. */
async function follow(address, show, seconds) {
  for (let failures = 0; failures < 30; ) {
    try {
      const answer = await fetch(address);
      if (answer.status === 403 || answer.status === 404) { location.reload(); return; } // the page says why
      if (!answer.ok) throw new Error(answer.statusText);
      const state = await answer.json();
      failures = 0;
      show(state);
      if (state.over) return;
    } catch {
      failures += 1;
      show({ trouble: "No connection. We keep trying …" });
    }
    await pause(seconds);
  }
  show({ trouble: "There is no connection. Load the page again." });
}

const approving = document.querySelector("[data-poll]");
if (approving) {
  follow(approving.dataset.poll, (state) => {
    if (state.next) { location.replace(state.next); return; }
    say("status", state.trouble ?? "Waiting for your approval …");
    if (!("qr" in state) || !byId("qr")) return;
    const code = byId("qr");
    if (state.picture) {
      const image = code.querySelector("img") ?? document.createElement("img");
      image.alt = "";
      if (image.src !== state.picture) image.src = state.picture;
      code.replaceChildren(image);
    } else if (state.qr) code.innerHTML = state.qr; // drawn by our own server, of lines alone
    const hasCode = Boolean(state.picture || state.qr);
    if (hasCode) code.hidden = byId("how").hidden = false;
    if (state.app && !hasCode) { byId("app").hidden = false; byId("app").firstElementChild.href = state.app; }
    if (state.text) say("text", state.text);
  }, 1);
}

const paying = document.querySelector("[data-follow]");
if (paying) {
  follow(paying.dataset.follow, (state) => {
    say("trouble", state.trouble ?? "");
    if (!state.title) return;
    say("title", state.title);
    say("text", state.text);
    say("code", state.status);
    byId("connect").hidden = !state.connect;
    if (state.connect) byId("connect").firstElementChild.href = state.connect;
    paying.querySelector(".steps").dataset.step = state.step;
    if (state.entry) say("entry", `In your account${state.entry.day ? ` on ${state.entry.day}` : ""}: ${state.entry.title}${state.entry.pending ? ", pending" : ""}.`);
  }, 1.5);
}

/** Fields that only some accounts need. */
const account = byId("account");
if (account) {
  const only = document.querySelector("[data-only]");
  const choose = () => { only.hidden = account.selectedOptions[0]?.dataset.currency !== only.dataset.only; };
  account.addEventListener("change", choose);
  choose();
}
