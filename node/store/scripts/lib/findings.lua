-- findings: what can be wrong with the state, how bad each is and what it means for users, and the telling
-- of what was found.

local CHECKS = {
    { 'absent-manager', 'error', 'nobody in the room can invite, remove or delete' },
    { 'broken-room', 'error', 'nobody can enter it or be shown it' },
    { 'broken-session', 'error', 'its user is nowhere and cannot register' },
    { 'dead-home', 'error', 'its sessions get nothing, and no node goes on with them' },
    { 'dead-line', 'warning', 'a connection is believed in that is not there, so that requests without signature are refused' },
    { 'eviction', 'error', 'Redis may take sessions and logs away when its memory is full' },
    { 'empty-room', 'warning', 'it ends with its last member, and so never does' },
    { 'ghost-member', 'error', 'the room shows and counts somebody who is not in it' },
    { 'immortal-session', 'warning', 'it never expires, and is in no list' },
    { 'long-events', 'info', 'the record takes more memory than it should' },
    { 'lost-account', 'error', 'its key lets nobody in, and does not keep its name from others' },
    { 'lost-member', 'error', 'the user believes to be in a room that does not have it: nothing it says arrives' },
    { 'lost-name', 'error', 'it cannot be found by its name, and the name can be taken twice' },
    { 'member-count', 'error', 'a node misses what happens in the room, or is told of it for nothing' },
    { 'missing-home', 'warning', 'when its node dies, no other one goes on with the session' },
    { 'missing-log', 'error', 'nothing can be said in the room' },
    { 'no-expiry', 'warning', 'it takes memory for nothing, and an old challenge stays open' },
    { 'orphan-invite', 'warning', 'it counts against the limit of the room' },
    { 'orphan-log', 'info', 'it takes memory for nothing' },
    { 'orphan-members', 'info', 'it takes memory for nothing' },
    { 'orphan-name', 'warning', 'nobody can take the name' },
    { 'orphan-room', 'warning', 'it counts against the limit of rooms' },
    { 'orphan-session', 'warning', 'it counts against the limit of users' },
    { 'orphan-wait', 'info', 'nobody waits any more; it goes when its time comes' },
    { 'stray-home', 'info', 'the node counts a session that is not there' },
    { 'stuck-transition', 'error', 'the user is in the middle of something that never ends' },
    { 'unlisted-room', 'warning', 'the room is in no list' },
    { 'unreadable', 'error', 'whatever needs this key fails' },
    { 'wrong-type', 'error', 'something else has written over it: whatever needs this key fails' },
}

local is_fixing = A.fix == '1'
local repaired, repaired_checks = 0, {}

-- `fix` repairs it; where it can't, it says why.
local function found(check, what, fix)
    local fixed = 'no'
    if is_fixing then
        local why = fix and fix()
        fixed = fix and (why or 'yes') or 'no: it has to be looked at by hand'
        if fix and not why then
            repaired = repaired + 1
            repaired_checks[#repaired_checks + 1] = check .. ' (' .. what .. ')'
        end
    end
    for _, known in ipairs(CHECKS) do
        if known[1] == check then
            row('Finding', 'check', check, 'what', what, 'means', known[3], 'fixed', fixed, 'severity', known[2])
        end
    end
end

local REPAIRS_TOLD = 20

local function record_repairs()
    if repaired > 0 then
        local told = table.concat(repaired_checks, ', ', 1, math.min(repaired, REPAIRS_TOLD))
        record('doctor', { 'fix' }, 'repaired ' .. counted(repaired, 'fault') .. ': ' .. told
            .. (repaired > REPAIRS_TOLD and ' and others' or ''))
    end
end
