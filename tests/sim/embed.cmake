# SPDX-License-Identifier: MIT
# embed: the scripts for the simulator: the same, but what they ask Redis about itself, its time and
# its run, comes as arguments.
#   cmake -DFROM=folder -DTO=folder -P embed.cmake
function(replace text_of what by)
    string(FIND "${${text_of}}" "${what}" at)
    if(at EQUAL -1)
        message(FATAL_ERROR "the scripts do not ask by ${what}")
    endif()
    string(REPLACE "${what}" "${by}" replaced "${${text_of}}")
    set(${text_of} "${replaced}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE scripts RELATIVE ${FROM} ${FROM}/*.lua)
foreach(script IN LISTS scripts)
    file(READ ${FROM}/${script} text)
    if(script STREQUAL "lib/base.lua")
        replace(text "redis.call('TIME')" "{ A.sim_s, A.sim_us }")
    elseif(script STREQUAL "connect.lua")
        replace(text "redis.call('INFO', 'server'):match('run_id:(%w+)')" "A.sim_run")
    elseif(text MATCHES "call..TIME")
        message(FATAL_ERROR "${script}: asks for the time itself")
    endif()
    file(WRITE ${TO}/${script} "${text}")
endforeach()
