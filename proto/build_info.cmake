# SPDX-License-Identifier: MIT
# Writes build_info.c, and only if it changes, so that a new commit compiles one file anew.
#   cmake -DOUT=... -DVERSION=... -DCOMMIT=... -DTYPE=... -DCOMPILER=... -DSOURCE=... -P build_info.cmake
if(NOT COMMIT)
    find_program(GIT git)
    if(GIT)
        execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --dirty --abbrev=7 --exclude=*
            OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    endif()
endif()
set(short "${VERSION}")
set(known "commit unknown")
if(COMMIT AND NOT COMMIT STREQUAL "unknown")
    set(short "${VERSION}+${COMMIT}")
    set(known "commit ${COMMIT}")
endif()
set(text "/* Made by proto/build_info.cmake. */
#include \"proto/build_info.h\"

const char build_info_version[] = \"${short}\";
const char build_info_text[] = \"${VERSION} (${known}, ${TYPE}, ${COMPILER})\";
")
set(now "")
if(EXISTS ${OUT})
    file(READ ${OUT} now)
endif()
if(NOT now STREQUAL text)
    file(WRITE ${OUT} "${text}")
endif()
