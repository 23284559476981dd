-- said: what a session has said in a room under an id of its own (`id`) is remembered, so that saying it once
-- more, when its acknowledgement was lost, changes nothing. In another room it is said anew. A room is known by
-- the time when it was opened, not by its epoch: what Redis loses of a log it loses here, too.

local function said_name(r)
    return 'id:' .. A.uid .. ':' .. r.id .. ':' .. r.created .. ':' .. A.id
end

-- The number that `what` was given in the room when it came first; nil when it is new, or, as the second result
-- says, something else was said under that id.
local function said_before(r, what)
    local known = A.id and recall(said_name(r))
    if not known then
        return nil
    end
    local seq, print = known:match('^(%d+) (%x+)$')
    if print ~= redis.sha1hex(what) then
        return nil, ERR.ID_REUSED
    end
    effect('repeated', 1)
    return tonumber(seq)
end

-- Ends the script that has said it.
local function said(r, what, seq)
    if A.id then
        memorize(said_name(r), text(seq) .. ' ' .. redis.sha1hex(what))
    end
    return result(ERR.NONE, seq)
end
