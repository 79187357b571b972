import { expect, test } from "vitest";
import { mask, secretsOf } from "../../src/claude/mask.ts";

const value = "hunter2/hunter2+";

test.each([
  "ANTHROPIC_API_KEY",
  "GITHUB_TOKEN",
  "DB_PASSWORD",
  "client_secret",
  "AWS_SECRET_ACCESS_KEY",
  "GOOGLE_CREDENTIALS",
])("the value of %s is a secret, also encoded (3.2)", (name) => {
  const secrets = secretsOf({ [name]: value });

  for (const text of [
    value,
    Buffer.from(value).toString("base64"),
    encodeURIComponent(value),
    `https://u:${encodeURIComponent(value)}@host`,
  ])
    expect(mask(`a ${text} b`, secrets)).toMatch(/^a (https:\/\/u:)?\*\*\*(@host)? b$/);
});

test.each([
  ["PATH", "/usr/bin:/usr/sbin"],
  ["SSH_AUTH_SOCK", "/tmp/ssh-agent"],
  ["KEYBOARD_LAYOUT", "dvorak-programmer"],
  ["TOKEN", "short"],
])("%s is none", (name, plain) => {
  expect(secretsOf({ [name]: plain })).toEqual([]);
});

test.each([
  "sk-ant-api03-abcDEF_123-456",
  `ghp_${"a1".repeat(18)}`,
  `github_pat_${"b2".repeat(20)}`,
  "AKIAIOSFODNN7EXAMPLE",
  "xoxb-123456789012-abcdef",
  "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n+/==\n-----END RSA PRIVATE KEY-----",
])("%s is a secret by its form", (text) => {
  expect(mask(`key: ${text}\nrest`, [])).toBe("key: ***\nrest");
});

test("other text stays as it is, and long text costs no time to speak of", () => {
  const text = `risk-ant-hill task-list ghp_short ${"-----BEGIN A PRIVATE KEY-----".repeat(2000)}`;

  expect(mask(text, [])).toBe(text);
});
