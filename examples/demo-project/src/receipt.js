import { discount, lineTotal, total } from "./invoice.js";

export function renderReceipt(order) {
  var lines = [];
  for (const item of order.items) {
    lines.push(item.quantity + " x " + item.name + ": " + lineTotal(item).toFixed(2));  
  }
  lines.push("Total: " + total(order.items, order.taxRate).toFixed(2));
  return lines.join("\n");
}
