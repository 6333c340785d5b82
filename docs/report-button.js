/* A "report a flaw" button for a website. No dependencies; nothing is loaded from anywhere.

   <script src="report-button.js" data-server="https://flaws.example.org" data-key="fd_..."
           data-product="Kite Travel Agent" data-model="kite-2" defer></script>

   The page may say what was talked about, so that nobody has to paste it:
   window.flawReport = { conversation: () => [{ role: "user", content: "..." }, ...] };

   docs/report-button.md explains it. */
"use strict";
(() => {
  const script = document.currentScript;
  const { server, key, product, model = "", label = "Report a flaw" } = script.dataset;
  const HARMS = ["not_sure", "psychological_harm", "financial_harm", "reputational_harm", "physical_harm",
    "rights_violations", "discrimination", "misinformation", "other"];
  const INTENTS = ["undecided", "no", "yes", "already"];
  const ROLES = ["user", "assistant", "system", "tool"];

  /* Texts are set as text, never as markup. */
  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const labelled = (text, field) => {
    field.style.cssText = "display:block;width:100%;box-sizing:border-box;margin:.25rem 0 .75rem;font:inherit";
    return make("label", {}, text, field);
  };
  const choice = (words) => make("select", {}, ...words.map(
    (word) => make("option", { value: word, textContent: word.replaceAll("_", " ") })));

  const said = make("textarea", { rows: 4, maxLength: 50000 });
  const answered = make("textarea", { rows: 4, maxLength: 50000 });
  const wrong = make("textarea", { rows: 3, maxLength: 5000, required: true });
  const harm = choice(HARMS);
  const intent = choice(INTENTS);
  const contact = make("input", { maxLength: 500, autocomplete: "email" });
  const illegal = make("input", { type: "checkbox" });
  const status = make("p", { role: "status" });
  const send = make("button", { type: "submit", textContent: "Send" });
  const close = make("button", { type: "button", textContent: "Close" });
  const form = make("form", { noValidate: true },
    make("h2", { textContent: label }),
    labelled("What you told the system", said),
    labelled("What it answered", answered),
    labelled("What is wrong with that?", wrong),
    labelled("What harm could it do?", harm),
    labelled("Do you plan to publish it?", intent),
    labelled("Contact (optional)", contact),
    make("label", {}, illegal, " It shows sexual content involving minors: send none of it, only that it happened"),
    status, send, " ", close);
  const dialog = make("dialog", {}, form);
  dialog.setAttribute("aria-label", label);
  dialog.style.cssText = "max-width:32rem;width:calc(100% - 2rem);box-sizing:border-box";

  let conversation = null;
  let sent = { body: "", key: "" };

  const open = () => {
    const given = window.flawReport?.conversation?.() ?? [];
    conversation = given.filter((turn) => ROLES.includes(turn.role) && typeof turn.content === "string");
    const last = (role) => conversation.findLast((turn) => turn.role === role)?.content ?? "";
    said.value ||= last("user");
    answered.value ||= last("assistant");
    status.textContent = "";
    send.hidden = false;
    dialog.showModal();
  };

  /* The last turns of a conversation, as many as the server takes in any script; whole characters of each. */
  const end = (talk) => {
    const kept = [];
    let left = 300000;
    for (const { role, content } of talk.slice(-200).reverse()) {
      const text = content.slice(0, 50000).replace(/[\ud800-\udbff]$/, "");
      if (text.length > left) break;
      left -= text.length;
      kept.unshift({ role, content: text });
    }
    return kept;
  };

  /* The page's whole conversation, unless the reporter wrote another one. */
  const turns = () => {
    const last = (role) => conversation.findLast((turn) => turn.role === role)?.content ?? "";
    if (conversation.length && said.value === last("user") && answered.value === last("assistant")) {
      return end(conversation);
    }
    return [{ role: "user", content: said.value }, { role: "assistant", content: answered.value }]
      .filter((turn) => turn.content.trim());
  };

  const report = () => ({
    format: "flaw-report/1",
    system: [{ platform: product, model, access_method: "website" }],
    harm_types: [harm.value],
    disclosure_intent: intent.value,
    contact: contact.value,
    ...(illegal.checked ? { illegal_minor_content: true } : { turns: turns(), what_is_wrong: wrong.value }),
  });

  /* The same words sent again come with the same key and are stored once, so a lost answer costs nothing. */
  const post = async (tries = 3) => {
    const body = JSON.stringify(report());
    if (body !== sent.body) {
      sent = { body, key: crypto.randomUUID?.() ?? String(Math.random()).slice(2) + Date.now() };
    }
    try {
      return await fetch(`${server}/api/v1/reports`, {
        method: "POST",
        mode: "cors",
        credentials: "omit",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}`, "Idempotency-Key": sent.key },
        body,
      });
    } catch (error) {
      if (tries <= 1) throw error;
      await new Promise((done) => setTimeout(done, 1000));
      return post(tries - 1);
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    status.textContent = "Sending ...";
    try {
      const answer = await post();
      const body = await answer.json();
      if (answer.ok) {
        status.replaceChildren(`Thank you. Report ${body.report_id} is stored. Tracking key, shown only now: `,
          make("code", { textContent: body.tracking_key ?? "shown before" }), ". Follow it at ",
          make("a", { href: `${server}/track`, rel: "noreferrer", target: "_blank", textContent: `${server}/track` }), ".");
        send.hidden = true;
        sent = { body: "", key: "" };
        said.value = answered.value = wrong.value = "";
      } else {
        status.textContent = `Not sent: ${body.error.field.replaceAll("_", " ")}: ${body.error.rule}`;
      }
    } catch {
      status.textContent = "Not sent: the server does not answer. Please try again later.";
    }
    send.disabled = false;
  });
  close.addEventListener("click", () => dialog.close());

  const button = make("button", { type: "button", textContent: label });
  button.addEventListener("click", open);
  script.after(button);
  document.body.append(dialog);
})();
