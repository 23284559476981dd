-- wait: requests that are relayed to a peer and wait for its answer.

local WAIT_FIELDS = { 'wait', 'wait_room', 'wait_by', 'wait_home', 'wait_src', 'wait_seq', 'wait_print' }

-- Asks the peer, by its own spelling of its name, also once more when it has come by another line.
local function relay(peer, room_field)
    effect_at(peer.home, 'relay', peer.wait, peer.uid, reach(peer), peer.wait_seq + 1, room_field, peer.spelling)
end

-- Tells a client that it is out by a REMOVE, whose answer nobody waits for. `seq` 1: the room is closed, or there
-- was none.
local function tell_out(s, rid, seq)
    effect_at(s.home, 'relay', 'REMOVE', s.uid, reach(s), seq, rid, s.spelling)
end

-- Whom the speaker names in which room, as the room's manager; else nil, and what is wrong, in the
-- original's order.
local function peer_of_manager(s)
    local peer = session_named(A.peer_key)
    if not peer then
        return nil, ERR.PEER_UNKNOWN
    end
    local r = room_named(A.room_key)
    if not r then
        return nil, ERR.ROOM_UNKNOWN
    end
    if s.room == '' then
        return nil, ERR.NOT_IN_ROOM
    end
    if r.manager ~= s.uid then
        return nil, ERR.NOT_MANAGER
    end
    return peer, r
end

-- Invitations that wait for their turn, in their order: one at a time is relayed, because the answers of the
-- original's client do not say to which. There are some while one is relayed, and of each room at most one.
local QUEUE_MAX = 64

local function queue_of(peer)
    return (peer.queue or '') ~= '' and cjson.decode(peer.queue) or {}
end

local function keep_queue(peer, queue)
    peer.queue = #queue > 0 and cjson.encode(queue) or ''
    save(peer, 'queue')
end

-- Why one in the queue will not be asked any more; else nothing, and the room.
local function refusal_of(asked)
    local r = room(asked.wait_room)
    if not r then
        return ERR.ROOM_UNKNOWN
    end
    return asked.wait_by ~= '' and asked.wait_by ~= r.manager and ERR.NOT_MANAGER or nil, r
end

-- The queue is as long as there are invitations that stand: who opens rooms, invites and closes them keeps
-- nobody else out of it.
local function standing(queue)
    local kept, fallen = {}, {}
    for _, asked in ipairs(queue) do
        local refused = refusal_of(asked)
        local list = refused and fallen or kept
        list[#list + 1] = refused and { asked, refused } or asked
    end
    return kept, fallen
end

local function is_asked_into(peer, r)
    for _, asked in ipairs(queue_of(peer)) do
        if asked.wait_room == r.id then
            return true
        end
    end
    return peer.wait_room == r.id
end

-- Why the peer cannot be asked into the room; nothing when it can.
local function refusal_to_invite(peer, r)
    if peer.room ~= '' then
        return ERR.PEER_IN_ROOM
    end
    if is_full(r) then
        return ERR.ROOM_FULL
    end
    if peer.wait then
        return (is_asked_into(peer, r) or #standing(queue_of(peer)) >= QUEUE_MAX) and ERR.PEER_BUSY or nil
    end
    return not step(peer, 'INVITE_USER_ROOM') and ERR.PEER_BUSY or nil
end

-- Has the peer asked: kept in its session until it answers or until the deadline.
local function ask(peer, r, asked)
    for _, field in ipairs(WAIT_FIELDS) do
        peer[field] = asked[field]
    end
    save(peer, 'state', unpack(WAIT_FIELDS))
    redis.call('ZADD', key('waits'), life + asked.ms, peer.uid)
    if peer.wait == 'INVITE' then
        redis.call('ZADD', key('i', r.id), life, peer.uid)
    end
    relay(peer, peer.wait == 'INVITE' and r.name or r.id)
end

-- Tells the one who asked, now and when it repeats its request: by its line if it has one, else where it
-- asked from, or where it was heard last if it has moved since. `asked`: the peer, or an item of its queue.
local function answer_asker(asked, code)
    if asked.wait_by == '' then
        return
    end
    local home, src = unpack(redis.call('HMGET', key('u', asked.wait_by), 'home', 'src'))
    if not home or home == asked.wait_home then
        src = asked.wait_src
    end
    effect_at(home, 'answer', asked.wait, asked.wait_by, src, asked.wait_seq + 3, code)
    remember(asked.wait_by, asked.wait_print, code, 3, '')
end

-- The peer has to answer the speaker, or an operator, who asks without a session: nobody waits for the answer
-- then. An INVITE while another one is on its way is asked after it.
local function wait_for(peer, kind, r)
    local asked = { wait = kind, wait_room = r.id, wait_by = A.uid or '', wait_home = A.node, wait_src = A.src or '',
        wait_seq = A.seq or 1, wait_print = A.print or '', ms = A.answer_ms }
    if not peer.wait then
        ask(peer, r, asked)
        return
    end
    local queue, fallen = standing(queue_of(peer))
    queue[#queue + 1] = asked
    keep_queue(peer, queue)
    for _, one in ipairs(fallen) do
        answer_asker(unpack(one))
    end
end

-- Asks for the first invitation in the queue that still stands.
local function ask_next(peer)
    local queue = queue_of(peer)
    while #queue > 0 and not peer.wait do
        local asked = table.remove(queue, 1)
        local refused, r = refusal_of(asked)
        if refused then
            answer_asker(asked, refused)
        elseif is_full(r) then
            answer_asker(asked, ERR.ROOM_FULL)
        else
            steps(peer, 'INVITE_USER_ROOM')
            ask(peer, r, asked)
        end
        keep_queue(peer, queue)
    end
end

-- Nobody of those in the queue is asked any more.
local function drop_queue(peer, code)
    local queue = queue_of(peer)
    for _, asked in ipairs(queue) do
        answer_asker(asked, code)
    end
    if #queue > 0 then
        keep_queue(peer, {})
    end
end

-- Ends the wait: tells the one who asked, then lets the answer take effect. The room of an invitation whose answer
-- may still come is kept in `missed`.
local function settle(peer, code)
    local kind, rid = peer.wait, peer.wait_room
    local r = room(rid)
    if code == ERR.NONE and not r then
        code = ERR.ROOM_UNKNOWN
        tell_out(peer, rid, 1)
    end
    answer_asker(peer, code)
    redis.call('ZREM', key('waits'), peer.uid)
    redis.call('ZREM', key('i', rid), peer.uid)
    redis.call('HDEL', key('u', peer.uid), unpack(WAIT_FIELDS))
    peer.wait, peer.wait_room = nil, nil
    if code ~= ERR.NONE then
        steps(peer, kind .. '_USER_ROOM_FAIL')
        peer.missed = code == ERR.PEER_SILENT and kind == 'INVITE' and rid or ''
        save(peer, 'state', 'missed')
        ask_next(peer)
    elseif kind == 'INVITE' then
        steps(peer, 'INVITE_USER_ROOM_SUC', 'TO_TALK')
        enter(peer, r, 'invited')
        drop_queue(peer, ERR.PEER_IN_ROOM)
    else
        steps(peer, 'REMOVE_USER_ROOM_SUC')
        leave(peer, r, 'removed')
    end
end

-- Who enters another room, or goes, declines all invitations thereby: an invitation binds nobody. Its OK to the one
-- that was relayed may be on its way.
local function decline_invitations(s)
    if s.wait == 'INVITE' then
        local rid = s.wait_room
        drop_queue(s, ERR.PEER_DECLINED)
        settle(s, ERR.PEER_DECLINED)
        s.missed = rid
        save(s, 'missed')
    end
end

-- Clients of the original's kind -------------------------------------------------------------------

-- Such a client cannot be asked where it is, and knows one way out only. So what it says about that counts, unless
-- it is older than what it said last: its own clock (`stamp`, of the message) tells.
local function is_outdated(s)
    return A.stamp and (s.placed or '') ~= '' and is_after(tonumber(s.placed), tonumber(A.stamp))
end

-- It has said where it is, by this request.
local function place(s)
    if A.stamp and is_original(s) then
        s.placed, s.placed_by = A.stamp, A.print or ''
        save(s, 'placed', 'placed_by')
    end
end

-- Takes it out of the room it is in, if any: it says that it is in none. `kind`: of the log's entry.
local function take_out(s, kind)
    place(s)
    local r = s.room ~= '' and room(s.room)
    if s.wait == 'REMOVE' then
        settle(s, ERR.NONE)
    elseif r then
        steps(s, 'EXIT_ROOM', 'EXIT_ROOM_SUC')
        leave(s, r, kind)
    elseif s.room ~= '' then
        s.state, s.room = 'REGISTER_OK', ''
        save(s, 'state', 'room')
    end
end
