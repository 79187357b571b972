#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { renderReceipt } from "./receipt.js";

const file = process.argv[2];
if (file === undefined) {
  console.error("usage: invoice ORDER.json");
  process.exit(2);
}
console.log(renderReceipt(JSON.parse(readFileSync(file, "utf8"))));
