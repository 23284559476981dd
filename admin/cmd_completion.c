/* SPDX-License-Identifier: MIT */
/*
 * cmd_completion: the scripts by which shells ask the tool what may come next. They differ in how a
 * shell hands words over and takes candidates back; what the candidates are is complete.c's. A name
 * may be a command to a shell that takes it for one: none is evaluated on its way to the line.
 */
#include <string.h>

#include "admin/cmd.h"
#include "admin/complete.h"
#include "tool.pb-c.h"

/* The tool takes the line apart and quotes: nothing that comes from it is evaluated here, or needs
 * quoting any more. */
static const char completion_bash[] =
    "# bash completion for hgtpctl. To load it: eval \"$(hgtpctl completion bash)\"\n"
    "_hgtpctl() {\n"
    "    local line\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == '" COMPLETE_FILES " '* ]]; then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            mapfile -t COMPREPLY < <(compgen -f -- \"${line#* }\")\n"
    "            return\n"
    "        fi\n"
    "        COMPREPLY+=(\"$line\")\n"
    "    done < <(\"${1/#\\~/$HOME}\" " COMPLETE_BASH " \"$COMP_WORDBREAKS\" "
    "\"${COMP_LINE:0:COMP_POINT}\" 2>/dev/null </dev/null)\n"
    "    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *:// ]]; then compopt -o nospace "
    "2>/dev/null; fi\n"
    "}\n"
    "complete -F _hgtpctl hgtpctl\n";

/* zsh quotes what it inserts, in the state that it is in; PREFIX is what is typed, as typed. */
static const char completion_zsh[] =
    "#compdef hgtpctl\n"
    "# zsh completion for hgtpctl. To load it: source <(hgtpctl completion zsh), or keep it as\n"
    "# _hgtpctl in a folder of $fpath.\n"
    "_hgtpctl() {\n"
    "    local -a names shown\n"
    "    local line name help begin\n"
    "    case $compstate[quote] in\n"
    "        (\\') begin=$PREFIX ;;\n"
    "        (\\\") begin=${(Q)${:-\\\"$PREFIX\\\"}} ;;\n"
    "        (*) begin=${(Q)PREFIX} ;;\n"
    "    esac\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == " COMPLETE_FILES " ]]; then\n"
    "            _files\n"
    "            return\n"
    "        fi\n"
    "        name=${line%%$'\\t'*} help=${line#*$'\\t'}\n"
    "        names+=(\"$name\")\n"
    "        shown+=(\"$name${help:+  -- $help}\")\n"
    "    done < <(${(Q)words[1]} " COMPLETE_WORD " \"${(@Q)words[2,CURRENT-1]}\" \"$begin\" "
    "2>/dev/null </dev/null)\n"
    "    (( ${#names} )) && compadd -l -d shown -a names\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _hgtpctl ]; then\n"
    "    _hgtpctl \"$@\"\n"
    "else\n"
    "    compdef _hgtpctl hgtpctl\n"
    "fi\n";

static const char completion_fish[] =
    "# fish completion for hgtpctl. To load it: hgtpctl completion fish | source, or keep it as\n"
    "# ~/.config/fish/completions/hgtpctl.fish.\n"
    "function __hgtpctl_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l tool $words[1]\n"
    "    set -e words[1]\n"
    "    set -l last (commandline -ct | string trim -l -c \"\\\"'\" | string unescape)\n"
    "    test -n \"$last\"; or set last ''\n"
    "    for line in ($tool " COMPLETE_WORD " $words \"$last\" 2>/dev/null </dev/null)\n"
    "        if test \"$line\" = " COMPLETE_FILES "\n"
    "            __fish_complete_path \"$last\"\n"
    "        else\n"
    "            echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c hgtpctl -f -a '(__hgtpctl_complete)'\n";

int cmd_completion(struct cli *cli)
{
    static const struct {
        const char *shell, *script;
    } scripts[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
    Hgtp__Tool__Completion reply = HGTP__TOOL__COMPLETION__INIT;
    reply.shell = (char *)(uintptr_t)cli->words[0];
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        if (strcmp(scripts[i].shell, cli->words[0]) == 0) {
            reply.script = (char *)(uintptr_t)scripts[i].script;
        }
    }
    if (cli->is_json) {
        output_json(&reply.base, cli->out);
    } else {
        fputs(reply.script, cli->out);
    }
    return EXIT_DONE;
}
