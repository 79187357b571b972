/** What one evaluation may cost, whatever its author or its data had in mind (spec 11). */

/** Characters and items looked at; about a second's worth. */
const MAX_WORK = 512 * 1024 * 1024;
/** Characters of all texts that functions make. */
const MAX_MADE = 32 * 1024 * 1024;
/** An item of a list or an object costs as much as this many characters. */
const ITEM = 16;

/** Thrown when an evaluation costs too much; its message is for people. */
export class ConditionTooCostly extends Error {}

export class Budget {
  #work = 0;
  #made = 0;

  /** Before `characters` are looked at. */
  work(characters: number): void {
    this.#work += characters;
    if (this.#work > MAX_WORK) throw new ConditionTooCostly("its values are too large to compare");
  }

  items(count: number): void {
    this.work(count * ITEM);
  }

  /** Before a text of this many characters is made. */
  make(characters: number): void {
    this.#made += characters;
    if (this.#made > MAX_MADE)
      throw new ConditionTooCostly("it makes texts of more than 32 Mi characters");
    this.work(characters);
  }
}
