-- lists: the lists in `what` (words: users, rooms, or the id of a room whose members are meant),
-- after the pause in which changes are collected.
-- with: base top lists
for word in A.what:gmatch('%S+') do
    local what, rid = word, nil
    if not LISTS[word] then
        what, rid = 'members', word
    end
    if (not rid or redis.call('EXISTS', key('r', rid)) == 1) and is_shown(what, rid) then
        show(what, rid, rid and log_top(rid))
    end
end
return result(ERR.NONE)
