# SPDX-License-Identifier: MIT
# fill: writes what the tables say into the documents that show it. With -DCHECK=ON it writes nothing
# and fails where a document is not up to date.
#   cmake -DCONFIG_DOC=... -DERR_DOC=... -DSESSION_DOC=... -DADMIN_DOC=... -P docs/fill.cmake
set(top ${CMAKE_CURRENT_LIST_DIR}/..)

function(run_tool out)
    execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(put file text)
    set(now "")
    if(EXISTS ${file})
        file(READ ${file} now)
    endif()
    if(now STREQUAL text)
        return()
    endif()
    if(CHECK)
        message(SEND_ERROR "${file} is not what the tables say; run: cmake --build build --target docs")
    else()
        file(WRITE ${file} "${text}")
    endif()
endfunction()

# Replaces what stands between <!-- begin NAME --> and <!-- end NAME -->.
function(put_between file name text)
    file(READ ${file} now)
    string(FIND "${now}" "<!-- begin ${name} -->" begin)
    string(FIND "${now}" "<!-- end ${name} -->" end)
    if(begin EQUAL -1 OR end EQUAL -1)
        message(FATAL_ERROR "${file} has no markers for ${name}")
    endif()
    string(SUBSTRING "${now}" 0 ${begin} head)
    string(SUBSTRING "${now}" ${end} -1 tail)
    put(${file} "${head}<!-- begin ${name} -->\n${text}${tail}")
endfunction()

run_tool(markdown ${CONFIG_DOC} markdown)
put(${top}/docs/configuration.md "${markdown}")
run_tool(example ${CONFIG_DOC} example)
put(${top}/deploy/hgtpd.conf.example "${example}")
run_tool(reasons ${ERR_DOC})
put_between(${top}/docs/protocol.md reasons "${reasons}")
run_tool(states ${SESSION_DOC} picture)
put_between(${top}/docs/protocol.md states "${states}")
run_tool(verbs ${ADMIN_DOC} markdown)
put_between(${top}/docs/admin.md verbs "${verbs}")
