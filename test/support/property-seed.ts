/**
 * Property tests try the same values in every run, so that a red run means a change and not a throw of
 * the dice. `FC_SEED=random npm test` (or a number) looks for new ones; what it finds becomes a case of
 * its own.
 */
import { configureGlobal } from "fast-check";

const asked = process.env["FC_SEED"];
const seed = asked === "random" ? Date.now() % 2 ** 31 : Number(asked ?? 20_261_121);
configureGlobal({ seed });
