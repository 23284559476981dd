-- lists: the lists in `what` (words: users, rooms, counts, or the id of a room whose members are meant), after the
-- pause in which changes are collected. One that still has the version which stands behind its word, with a colon,
-- is not read. Of one that is too long for one call only its version: the node reads it
-- piece by piece. When enough has been read, the others stay dirty.
-- with: base top lists
local left = PIECE
for word in A.what:gmatch('%S+') do
    local what, known = word:match('^([^:]+):?(%d*)$')
    local rid
    if not LISTS[what] then
        what, rid = 'members', what
    end
    local length = length_of(what, rid)
    local is_here = not rid or redis.call('EXISTS', key('r', rid)) == 1
    if not is_here or tonumber(known) == version_of(what, rid) then
        length = 0
    elseif length > PIECE then
        effect('long', what, rid or '', version_of(what, rid), rid and redis.call('HGET', key('r', rid), 'epoch') or '',
            rid and log_top(rid) or 0)
    elseif left <= 0 then
        effect('dirty', what, rid or '')
    else
        show(what, rid, rid and log_top(rid))
        left = left - length
    end
end
return result(ERR.NONE)
