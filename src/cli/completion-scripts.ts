/**
 * The scripts that shells source. Each asks `mmm __complete` and hands on what it says as plain values: nothing that comes
 * from a file's name is ever evaluated.
 */
import { unreachable } from "../lib/unreachable.ts";

export function completionScript(shell: "bash" | "zsh" | "fish"): string {
  switch (shell) {
    case "bash":
      return BASH;
    case "zsh":
      return ZSH;
    case "fish":
      return FISH;
    default:
      return unreachable(shell);
  }
}

/** Bash splits words at `=` and `:`, so the line goes along as it is; bash 3.2 has no `compopt`. */
const BASH = `# mmm completion for bash: source <(mmm completion bash)
_mmm() {
  local kind='' line
  COMPREPLY=()
  while IFS= read -r line; do
    if [ -z "$kind" ]; then kind=$line; else COMPREPLY+=("$line"); fi
  done < <(command mmm __complete -- bash "\${COMP_LINE:0:COMP_POINT}" "\${COMP_WORDS[COMP_CWORD]}" 2>/dev/null)
  case $kind in
    files) compopt -o filenames 2>/dev/null ;;
    paths) compopt -o default 2>/dev/null ;;
    directories) compopt -o dirnames 2>/dev/null ;;
  esac
  return 0
}
complete -F _mmm mmm
`;

const ZSH = `#compdef mmm
# mmm completion for zsh: source <(mmm completion zsh), after compinit; or as _mmm in a folder of $fpath
_mmm() {
  local line kind=
  local -a lines values texts
  lines=("\${(@f)$(command mmm __complete -- zsh "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  kind=$lines[1]
  shift lines
  case $kind in
    paths|directories)
      [[ $PREFIX == --*=* ]] && compset -P 1 '*='
      if [[ $kind == paths ]]; then _files; else _files -/; fi
      return ;;
  esac
  for line in $lines; do
    values+=("\${line%%$'\\t'*}")
    texts+=("\${line/$'\\t'/  -- }")
  done
  compadd -l -V mmm -d texts -a values
}
if [ "$funcstack[1]" = _mmm ]; then _mmm "$@"; else compdef _mmm mmm; fi
`;

const FISH = `# mmm completion for fish: mmm completion fish > ~/.config/fish/completions/mmm.fish
function __mmm_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l lines (command mmm __complete -- fish $words "$current" 2>/dev/null)
    set -l kind $lines[1]
    set -e lines[1]
    switch "$kind"
        case paths
            __fish_complete_path "$current"
        case directories
            __fish_complete_directories "$current"
        case '*'
            printf '%s\\n' $lines
    end
end
complete -c mmm -f -a '(__mmm_complete)'
`;
