import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileShellText } from "../../../src/values/shell/compile.ts";

const KNOWN = new Set(["x", "count", "l", "ARG", "FILE"]);
const compile = (text: string) => compileShellText(text, (name) => KNOWN.has(name));

/** Each problem as "severity code 'the text it points at'". */
function problems(text: string): string[] {
  return compile(text).problems.map(
    ({ severity, code, start, end }) => `${severity} ${code} ${text.slice(start, end)}`,
  );
}

function names(text: string): string[] | undefined {
  return compile(text).text?.references.map((reference) => reference.name);
}

describe("which names are mmm's (3.1)", () => {
  test.each([
    ["echo $HOME ${FOO} $1 ${1:-x} '$2' ${unknown%x}", []],
    ["recv ${x} $ARG ${ARG} $FILES $x ${a.b} ${l[0]}", ["x", "ARG", "ARG", "a.b", "l[0]"]],
    ["recv ${arr[0]} ${fix-lint.output}", []],
    ["recv ${FILE%.md} ${#ARG}", []],
    ["recv \\${x} \"\\${x}\" '\\${x}'", ["x"]],
    ["recv # ${x}", []],
    ["recv ${x:-none} ${unknown:-none}", ["x"]],
  ])("in %s", (text, expected) => {
    expect(names(text)).toEqual(expected);
  });

  test.each([
    "x=1; echo ${x}",
    "x+=1; echo ${x}",
    "for x in 1 2; do echo ${x}; done",
    "while read -r x; do echo ${x}; done",
    "export x; echo ${x}",
    "f() { local x=1; echo ${x}; }",
    "readonly x=2; echo ${x}",
    'echo "$(x=1; echo ${x})"',
    "getopts ab x; echo ${x}",
    "printf -v x a; echo ${x}",
    ": ${x:=1}; echo ${x}",
    "ARG=1 sh -c 'echo $ARG'",
  ])("a plain name that the text sets is the shell's: %s", (text) => {
    expect(names(text)).toEqual([]);
  });

  test.each([
    "echo x=1 ${x}",
    "echo read x ${x}",
    "env x=1 recv ${x}",
    "# x=1\nrecv ${x}",
    "recv '\nx=1\n' ${x}",
  ])("a name that is only mentioned stays mmm's: %s", (text) => {
    expect(names(text)).toEqual(["x"]);
  });

  test("a dotted name is mmm's even when its first part is set", () => {
    expect(names("a=1; recv ${a.b}")).toEqual(["a.b"]);
  });
});

describe("refusals, with their places (3.2)", () => {
  test.each([
    ["recv ${x|bogus}", ["error filter ${x|bogus}"]],
    ["recv ${x:-'a'}", ["error fallback ${x:-'a'}"]],
    ["recv ${x:-${ARG}}", ["error fallback ${x:-${ARG}"]],
    ["recv ${a.b%c}", ["error reference ${a.b%"]],
    ["recv ${a.b", ["error reference ${a.b"]],
    ["recv ${x} >&${x}", ["error redir-dup ${x}"]],
    ["cat <<${x}\na\n", ["error heredoc-delim ${x}"]],
    ["cat <<'E'\n${x} ${a.b}\nE", ["error heredoc-quoted ${x}", "error heredoc-quoted ${a.b}"]],
    ["recv `echo \\\\ ${x}`", ["error backtick ${x}"]],
    ["recv $'it\\'s ${x}'", ["error ansi $"]],
    ["recv ${PATH:${x}:1}", ["error inner-param ${x}"]],
    ['recv "${U:-"${x}"}"', ["error inner-param ${x}"]],
    ["recv ${arr[${x}]}", ["error subscript ${x}"]],
    ["arr[${x}]=1", ["error subscript ${x}"]],
    ["arr[ ${x} ]=1", ["error subscript a"]],
    ["arr=([ ${x} ]=1)", ["error subscript ["]],
    ["${x}() { :; }", ["error name ${x}"]],
    ["for ${x} in a; do :; done", ["error name ${x}"]],
    ["function ${x} { :; }", ["error name ${x}"]],
    ["recv ${x|quote}", ["error quote-place ${x|quote}"]],
    ["sh -c \"ls '${x|quote}'\"", ["error quote-place ${x|quote}"]],
    ['sh -c "sh -c ${x|quote}"', ["error command ${x|quote}"]],
    ["recv >&1$(recv ${x})", ["error redir-dup ${x}"]],
    ["recv 2>&1<(:)${x}", ["error paren >"]],
    ["recv ${x} >out<(:)${x}", ["error paren >"]],
    ["recv a${x|opt}", ["error opt-place ${x|opt}"]],
    ['recv "${x|opt}"', ["error opt-place ${x|opt}"]],
    ["recv # ${x|raw}", ["error comment ${x|raw}"]],
    ["recv $((${x|file}))", ["error arith ${x|file}"]],
    ["[[ -n a || ${x} ]]", ["error command ${x}"]],
    ["recv \0", ["error nul \0"]],
  ])("%j", (text, expected) => {
    expect(problems(text).toSorted()).toEqual(expected.toSorted());
    expect(compile(text).text).toBeNull();
  });

  test.each([
    ["recv 'it ${x}", "unterminated", "'"],
    ['recv "${x}', "unterminated", '"'],
    ["recv `${x}", "unterminated", "`"],
    ["recv ${x} $(echo", "unterminated", "("],
    ["recv ${x} ${U:-a", "unterminated", "$"],
    ["recv ${x} )", "paren", ")"],
    ["recv ${x} (a)", "paren", "("],
    ["recv $[ ${x} ]", "arith-ambiguous", "$"],
    ["$((echo a); echo ${x})", "arith-ambiguous", "$"],
    ["cat <\\\n<E\n${x}\nE", "cont-op", "<"],
    ["recv $\\\n(recv ${x})", "cont-op", "$"],
    ["x=$(cat <<E)\n${x}\nE", "heredoc-open", ")"],
    ["cat <<E\n${x}\n", "heredoc-open", "<"],
    ["cat <<E\nE\\\n${x}", "heredoc-open", "<"],
    ["recv $(case z in (esac) ${x};; esac)", "case", "e"],
    ["case ${x} in a) recv", "case", "c"],
    ["recv ${x}; coproc a", "paren", "c"],
    ["if :; then :; fi ${x}", "paren", "$"],
  ])("what cannot be read the same everywhere: %j", (text, code, at) => {
    expect(problems(text)).toEqual([`error ${code} ${at}`]);
  });

  test("the message names the line", () => {
    expect(compile("a\nb\n'${x}").problems[0]?.message).toMatch(/^line 3: unterminated '/);
  });

  test.each(["'", "$(", "${", "x=$(cat <<E)", "case", "a )", "`"])(
    "without a reference %j goes to the shell as it is",
    (text) => {
      expect(compile(text)).toMatchObject({ text: { source: text, references: [] }, problems: [] });
    },
  );

  test.each(["$(", "`$(", "(", "{ ", "${a:-", '"$(', "$((", "a=("])(
    "a bomb of nested %s is a problem, not a crash",
    (opener) => {
      expect(problems(`\${x}${opener.repeat(100_000)}`)[0]).toMatch(/^error/);
    },
  );
});

describe("second evaluation (3.2)", () => {
  test.each([
    "sh -c 'recv ${x}'",
    "bash -o pipefail -ec 'recv ${x}'",
    "/usr/bin/env -i bash --norc -c ${x}",
    "docker exec c sh -c 'recv ${x}'",
    "su -c 'recv ${x}' root",
    "flock f -c 'recv ${x}'",
    "eval ${x}",
    "watch ${x}",
    "trap 'rm ${x}' EXIT",
    "let a=${x}",
    "python3.12 -c 'print(${x})'",
    "python3 -W ignore -c 'print(${x})'",
    "node --eval='${x}'",
    "deno eval '${x}'",
    "perl -lane 'print ${x}'",
    "ruby -e '${x}'",
    "php -r '${x}'",
    "gawk -F, '/${x}/' f",
    "awk -f p -e '${x}'",
    "sed --expression='s/${x}//'",
    "yq '.a = \"${x}\"' f",
    "sqlite3 db \"select '${x}'\"",
    "mysql -u root -e 'select ${x}'",
    "ssh -p 22 host rm ${x}",
    "ssh -o ProxyCommand=${x} host",
    "ssh host sh -s <<E\nrm ${x}\nE",
    "ssh host <<E\nrm ${x}\nE",
    "docker exec -i c bash <<E\nrm ${x}\nE",
    "python3 - ${l} <<E\nprint(${x})\nE",
    "{ echo ${x}; } | sh",
    "while read a; do echo ${x}; done | bash",
    "(echo ${x}) | tee f | sudo sh",
    "printf '%s' ${x} | psql",
    "bash /dev/stdin <<E\n${x}\nE",
    ". /dev/stdin <<E\n${x}\nE",
    "bash <(echo ${x})",
    "source <(echo ${x})",
    "cat <<E | sh\n${x}\nE",
    "cat <<E | tee f | ssh host\n${x}\nE",
    "{ cat <<E; } | sh\n${x}\nE",
    "{ sh; } <<E\n${x}\nE",
    "(sh) <<E\n${x}\nE",
    "echo ${x} | (sh)",
    "echo ${x} | { bash -s; }",
    "while sh; do break; done <<< ${x}",
    "exec <<E\n${x}\nE\nsh",
    "make A=${x}",
    "read -r ${x}",
    "export ${x}=1",
    "declare -i a=${x}",
    "unset ${x}",
    "test -v ${x}",
    "[ a ${x} b ]",
    "[[ ${x} -lt 3 ]]",
    "printf -- ${x}",
    "printf -v ${x} a",
    "set ${x}",
    "source ${x}",
    "env -S 'recv ${x}' a",
    "RANDOM=${x}",
    "export PS4=${x}; set -x",
    "env BASH_ENV=${x} bash f",
    "declare -i n; n=${x}",
    "local -n r; r=${x}",
    'declare -a "a=(${x})"',
    "mapfile -C ${x} -c 1 a",
    "compgen -W ${x}",
  ])("%j is code", (text) => {
    expect(problems(text)).toContain("error code ${x}");
  });

  test.each([
    "${x} a",
    "! ${x}",
    "a=1 ${x}",
    "sudo -u root ${x}",
    "timeout -k 5 10 ${x}",
    "time -p ${x}",
    "nice -n 5 ${x}",
    "recv | ${x}",
    "if (true) then ${x}; fi",
    "find . -exec ${x} \\;",
    'sh -c "${x|quote}"',
  ])("%j is the name of a command", (text) => {
    expect(problems(text)[0]).toMatch(/^error command \$\{x/);
  });

  test.each([
    "sh -c 'recv \"$1\"' sh ${x}",
    "sh script.sh -c ${x}",
    "cat <<E >f; curl -s u | sh\n${x}\nE",
    "cat <<E\n${x}\nE\ncurl -s u | sh",
    "diff <(cat ${x}) f",
    "cat ${x} | sh f",
    "python3 script.py -c ${x}",
    "python3 script.py <<E\n${x}\nE",
    "jq --arg x ${x} '$x' f",
    "awk '{print}' ${x}",
    "sed -n 1p ${x}",
    "sed -e 1p ${x}",
    "./bin/${x}.sh",
    "sudo -u ${x} recv",
    'export "Y=${x}"',
    "a[1]=${x}",
    "a[$i]=${x}",
    "A=${x} make all",
    "read -p ${x} answer",
    "[ ${x} = a ]",
    "[ ! -n ${x} ]",
    "set -- ${x}",
    "trap - EXIT; recv ${x}",
    "echo sh | recv ${x}",
    "ssh user@${x} ls",
    "{ { recv ${x}; } }",
    "case a in a) recv ${x};; esac | cat",
    "while read a; do recv ${x}; done <<E\n${x}\nE",
  ])("%j is fine", (text) => {
    expect(problems(text)).toEqual([]);
    expect(names(text)).not.toEqual([]);
  });

  test.each([
    ["echo ${x}", "echo"],
    ["[ ${x} = a -o b = c ]", "test-operators"],
    ["set -x; recv ${x}", "trace"],
    ["xargs -I{} recv {} ${x}", "xargs-replace"],
    ["awk -v v=${x} '{print v}'", "awk-v"],
    ["recv ${count%.md} ${x}", "shell-operator"],
    ["recv $${x}", "dollar-dollar"],
    ["recv ${x|raw}", "raw"],
  ])("%j earns a warning", (text, code) => {
    const { problems, text: compiled } = compile(text);

    expect(problems.map((each) => `${each.severity} ${each.code}`)).toEqual([`warning ${code}`]);
    expect(compiled).not.toBeNull();
  });

  test.each([
    "sh -c 'recv ${x|raw}'",
    "${x|raw} a",
    "cat <<'E'\n${x|raw}\nE",
    "recv $((${x|raw}))",
    "recv >&${x|raw}",
    "awk '${x|raw}'",
  ])("|raw takes the refusal away: %j", (text) => {
    expect(problems(text)).toEqual(["warning raw ${x|raw}"]);
  });
});

describe("any text at all", () => {
  test("never throws, and points inside itself", () => {
    const token = fc.constantFrom(
      "${x}",
      "$ARG",
      "${",
      "}",
      '"',
      "'",
      "`",
      "\\",
      "\n",
      " ",
      "$(",
      "((",
      ")",
      "<<E\n",
      "E\n",
      "case ",
      "in ",
      "esac",
      ";;",
      "[[ ",
      "]]",
      "a[",
      "=",
      "#",
      "|raw}",
      "${x",
      ":-",
      "sh -c ",
      "for ",
      "do ",
      "é",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), (parts) => {
        const text = parts.join("");
        const { problems, text: compiled } = compile(text);
        for (const { start, end } of problems) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeLessThanOrEqual(text.length);
        }
        expect(compiled === null).toBe(problems.some((each) => each.severity === "error"));
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ["10 000 references", "recv ${x} \"${x}\" '${x}'\n".repeat(3_334)],
    ["5 MB of one quoted string", `recv '${"a b ".repeat(1_250_000)}' \${x}`],
    ["5 MB of words", `recv \${x} ${"a b ".repeat(1_250_000)}`],
    ["many heredocs on a line", `${"cat <<E;".repeat(20_000)}\n${"${x}\nE\n".repeat(20_000)}`],
    ["many comments in backticks", "`#`".repeat(500_000) + "${x}"],
    ["a long pipeline", `recv \${x} ${"| sh -s a ".repeat(20_000)}`],
    ["one inner text with many values", `sh -c "recv ${"${x|quote} ".repeat(5_000)}"`],
    ["unfinished references", "${x:-".repeat(200_000)],
    ["dollars", "$".repeat(1_000_000) + "${x"],
  ])("%s is read in linear time", (_, text) => {
    // The runner's time limit is the bound: quadratic work on these takes minutes.
    expect(compile(text).problems.length).toBeGreaterThanOrEqual(0);
  });
});
