/** Coverage reports (spec 2.6): three formats, whatever is in them, in linear time. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linePercentage, readCoverage } from "../../src/metrics/coverage.ts";

const percent = (text: string): number | null => {
  const report = readCoverage(text);
  return report === null ? null : linePercentage(report);
};

describe("lcov", () => {
  test("lines are counted by file and number, however often they are named", () => {
    const text = [
      "TN:unit",
      "SF:src/a.js",
      "FN:1,f",
      "FNF:2",
      "FNH:1",
      "DA:1,3",
      "DA:2,0,checksum",
      "BRF:4",
      "BRH:1",
      "LF:2",
      "LH:1",
      "end_of_record",
      "TN:integration",
      "SF:src/a.js",
      "DA:2,1",
      "DA:3,0",
      "end_of_record",
      "SF:src/b.js",
      "DA:1,0",
      "end_of_record",
    ].join("\r\n");

    expect(readCoverage(text)).toEqual({
      format: "lcov",
      lines: { covered: 2, total: 4 },
      branches: { covered: 1, total: 4 },
      functions: { covered: 1, total: 2 },
      files: [
        { path: "src/a.js", lines: { covered: 2, total: 3 } },
        { path: "src/b.js", lines: { covered: 0, total: 1 } },
      ],
    });
    expect(percent(text)).toBe(50);
  });

  test("sums are taken where no line is named", () => {
    expect(percent("SF:a\nLF:8\nLH:2\nend_of_record\nSF:b\nLF:2\nLH:1\nend_of_record\n")).toBe(30);
  });

  test("a report without a line has no percentage, and other texts are no report", () => {
    expect(percent("TN:\nSF:a\nend_of_record\n")).toBeNull();
    expect(readCoverage("hello\nSF:a\nDA:1,1\n")).toBeNull();
    expect(readCoverage("TN:\n")).toBeNull();
    expect(readCoverage(" \n")).toBeNull();
  });
});

describe("Cobertura", () => {
  const xml = `<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd" [<!ENTITY x "<line>">]>
<coverage line-rate="0.5" branch-rate="0" lines-covered="3" lines-valid="4" branches-covered="1" branches-valid="2" version="7">
  <!-- <class filename="no.py"><line number="1" hits="1"/></class> -->
  <packages><package name="p"><classes>
    <class name="a" filename="src/a &amp; b.py" line-rate="0.5">
      <methods><method name="f"><lines><line number="1" hits="2"/></lines></method></methods>
      <lines><line number="1" hits="2"/><line hits='0' number='2' branch="true"/></lines>
    </class>
    <class filename="src/c>d.py"><lines><line number="7" hits="1"/></lines></class>
  </classes></package></packages>
</coverage>`;

  test("the totals are the tool's, the files are counted", () => {
    expect(readCoverage(xml)).toEqual({
      format: "cobertura",
      lines: { covered: 3, total: 4 },
      branches: { covered: 1, total: 2 },
      functions: null,
      files: [
        { path: "src/a & b.py", lines: { covered: 1, total: 2 } },
        { path: "src/c>d.py", lines: { covered: 1, total: 1 } },
      ],
    });
  });

  test("without totals the lines are counted", () => {
    expect(percent(xml.replace(/lines-covered="3" lines-valid="4"/, ""))).toBeCloseTo(66.67, 1);
  });

  test("Clover and any other XML is no such report", () => {
    expect(readCoverage(`<coverage generated="1"><project/></coverage>`)).toBeNull();
    expect(readCoverage(`<html></html>`)).toBeNull();
    expect(readCoverage(`<coverage line-rate="1`)).toBeNull();
  });

  test("entities of its own are not expanded, and hostile texts of 2 MB end at once", () => {
    const bomb = `<!DOCTYPE coverage [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><coverage line-rate="1"><class filename="&b;"><line number="1" hits="1"/></class></coverage>`;

    expect(readCoverage(bomb)?.files).toEqual([{ path: "&b;", lines: { covered: 1, total: 1 } }]);
    for (const unit of [
      "<",
      "<!--",
      "<![CDATA[",
      "<a ",
      "<!",
      `<a b="`,
      "&lt;",
      " a =",
      "<line ",
      "<!x>",
    ])
      expect(
        readCoverage(`<coverage line-rate="1">${unit.repeat(2_000_000 / unit.length)}`),
      ).toBeDefined();
  });
});

describe("Istanbul's json-summary", () => {
  test("total and files", () => {
    const text = JSON.stringify({
      total: {
        lines: { total: 10, covered: 9, skipped: 0, pct: 90 },
        functions: { total: 0, covered: 0, pct: "Unknown" },
      },
      "/app/a.js": { lines: { total: 10, covered: 9, pct: 90 } },
    });

    expect(readCoverage(text)).toEqual({
      format: "istanbul",
      lines: { covered: 9, total: 10 },
      branches: null,
      functions: { covered: 0, total: 0 },
      files: [{ path: "/app/a.js", lines: { covered: 9, total: 10 } }],
    });
    expect(percent(text)).toBe(90);
  });

  test("counts that cannot be true are none", () => {
    expect(percent(`{"total": {"lines": {"total": 1, "covered": 2}}}`)).toBeNull();
    expect(percent(`{"total": {"lines": {"total": -1, "covered": -1}}}`)).toBeNull();
    expect(readCoverage(`{"a": 1}`)).toBeNull();
    expect(readCoverage(`{"total"`)).toBeNull();
  });
});

test("whatever the text is, nothing is thrown and a percentage is from 0 to 100", () => {
  const piece = fc.constantFrom(
    "SF:a",
    "DA:1,",
    "1",
    "-1",
    "\n",
    "<coverage ",
    `line-rate="`,
    `"`,
    ">",
    "<",
    "<line ",
    "{",
    `"total":`,
    "}",
    "LF:",
    "LH:2",
    "[",
    "]",
    "<!",
    "--",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
      const found = percent(pieces.join(""));

      expect(found === null || (found >= 0 && found <= 100)).toBe(true);
    }),
  );
});
