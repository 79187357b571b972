/** Amounts go in and come out in whole units with decimals: 2.5 is two and a half. */

const DISCOUNT_FROM = 100;
const DISCOUNT_RATE = 0.1;

export function lineTotal(item) {
  return item.price * item.quantity;
}

export function subtotal(items) {
  return items.reduce((sum, item) => sum + lineTotal(item), 0);
}

export function discount(amount) {
  return amount >= DISCOUNT_FROM ? amount * DISCOUNT_RATE : 0;
}

export function total(items, taxRate) {
  const amount = subtotal(items);
  const net = amount - discount(amount);
  return net + net * taxRate;
}
