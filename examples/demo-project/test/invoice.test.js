import assert from "node:assert/strict";
import { test } from "node:test";
import { discount, subtotal, total } from "../src/invoice.js";
import { renderReceipt } from "../src/receipt.js";

test("adds up the lines", () => {
  const items = [
    { name: "Tea", price: 2, quantity: 3 },
    { name: "Milk", price: 4.5, quantity: 2 },
  ];

  assert.equal(subtotal(items), 15);
});

test("is exact to the cent", () => {
  assert.equal(subtotal([{ name: "Sweets", price: 0.1, quantity: 3 }]), 0.3);
});

test("gives 10 % off from 100 on", () => {
  assert.equal(discount(100), 10);
  assert.equal(total([{ name: "Chair", price: 100, quantity: 2 }], 0.2), 216);
});

test("gives nothing off below 100", () => {
  assert.equal(discount(99), 0);
  assert.equal(total([{ name: "Lamp", price: 20, quantity: 2 }], 0), 40);
});

test("prints a line for each item and the total", () => {
  const items = [{ name: "Tea", price: 2.5, quantity: 4 }];

  assert.equal(renderReceipt({ taxRate: 0.2, items }), "4 x Tea: 10.00\nTotal: 12.00");
});
