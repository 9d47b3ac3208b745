/** Asks before an action on a plugin. */
import { byId, setText } from "./dom.js";

export interface Question {
  readonly title: string;
  /** What the action does. */
  readonly effect: string;
  /** The button's text. */
  readonly yes: string;
}

/** Resolves with true if the operator confirms; Escape cancels. The focus returns to where it was. */
export function confirmed({ title, effect, yes }: Question): Promise<boolean> {
  const dialog = byId("confirm") as HTMLDialogElement;
  setText(byId("confirm-question"), title);
  setText(byId("confirm-effect"), effect);
  setText(byId("confirm-yes"), yes);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
