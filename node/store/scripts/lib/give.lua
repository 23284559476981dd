-- give: lists to one client, from the memory of its node where they are there.

-- What the node that asks knows of the lists: their versions, of members that of the room of the client for which
-- it asks.
local HAS = {}
HAS.users, HAS.rooms, HAS.members, HAS.counts = (A.has or ''):match('^(%S+) (%S+) (%S+) (%S+)$')

-- A list to one client. Its node has it in memory, or is given it, or reads it by and by if it is long; it is
-- never older than what has happened by now. `paged`: the client has asked for all of it.
local function give(s, what, paged)
    local rid = what == 'members' and s.room or nil
    local latest, is_here = version_of(what, rid), s.home == A.node
    local is_known = (tonumber(HAS[what] or '') or -1) >= latest
    if is_here and not is_known and is_short(what, rid) then
        show(what, rid, rid and log_top(rid), rid and 'list' or 'keep')
        if rid then
            return -- as all members now
        end
    end
    effect_at(s.home, 'give', s.uid, what, latest, rid or '', paged and '1' or '')
end

-- All lists that concern the session, in the forms that it can take.
local function give_all(s, paged)
    give(s, 'users', paged)
    give(s, s.http == '' and 'counts' or 'rooms', paged)
    if s.room ~= '' then
        give(s, 'members', paged)
    end
end
