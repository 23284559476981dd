-- session: sessions, their home, and who may speak for them.

local function session(uid)
    local s = hash(key('u', uid))
    if not s.state then
        return nil
    end
    s.uid = uid
    return s
end

local function session_named(name_key)
    local uid = redis.call('GET', key('un', name_key))
    return uid and session(uid)
end

local function save(s, ...)
    local flat = {}
    for _, field in ipairs({ ... }) do
        flat[#flat + 1] = field
        flat[#flat + 1] = text(s[field])
    end
    redis.call('HSET', key('u', s.uid), unpack(flat))
end

-- A connection that the client opened brings it its talk: WebSocket or SSE.
local function has_line(s)
    return (s.line or '') ~= ''
end

-- A client of the original's kind: proved by double MD5, and to be reached at a port of its own. Who has
-- ever opened a connection to a node is none any more. Everybody else is modern.
local function is_original(s)
    return s.kind == 'original'
end

-- It had a connection of its own and has lost it. `away` says for how many seconds it is kept without a sign
-- of life until it has another one; shown to modern clients.
local function is_away(s)
    return (s.away or '') ~= ''
end

-- At which HTTP port is whose session.
local function claim_port(s)
    if is_original(s) then
        redis.call('HSET', key('ports'), s.http, s.uid)
    end
end

local function leave_port(s)
    if (s.http or '') ~= '' and redis.call('HGET', key('ports'), s.http) == s.uid then
        redis.call('HDEL', key('ports'), s.http)
    end
end

local function renew(s)
    redis.call('ZADD', key('sessions'), life + (is_away(s) and s.away or s.expires) * 1000, s.uid)
end

local function presence_changed(s)
    raise_version('users')
    to({ '*' })
    effect('dirty', 'users', '', 'away')
    if s.room ~= '' then
        raise_version('members', s.room)
        effect_in(s.room, 'dirty', 'members', s.room, 'away')
    end
end

local function go_away(s)
    s.line, s.away = '', text(math.min(tonumber(A.away_s), tonumber(s.expires)))
    save(s, 'line', 'away')
    renew(s)
    presence_changed(s)
end

local function come_back(s)
    if is_away(s) then
        s.away = ''
        save(s, 'away')
        presence_changed(s)
    end
    renew(s)
end

-- Its token has been shown: the client knows that the session has been opened.
local function used(s)
    if s.fresh then
        redis.call('HDEL', key('u', s.uid), 'fresh')
        s.fresh = nil
    end
end

local function address_ip(address)
    return address:match('^([^:]*)')
end

-- Where the server's own requests go: the declared address while it is the sender's own or trusted.
local function reach(s)
    if s.udp ~= '' and (s.trusted == '1' or address_ip(s.udp) == s.ip) then
        return s.udp
    end
    return s.src
end

-- Members per home node.
local function count_member(rid, home, by)
    if home ~= '' and redis.call('HINCRBY', key('rh', rid), home, by) <= 0 then
        redis.call('HDEL', key('rh', rid), home)
    end
end

local INBOX_KEPT = 10000

-- Another node has to know that something about the session has changed. It is numbered in that node's inbox,
-- which the node reads by itself: the word over the bus only makes that quicker. What has changed the node is
-- told then, because what it hears from here and what Redis answers it may overtake each other.
local function tell_node(node, uid)
    if node and redis.call('HEXISTS', key('nodes'), node) == 1 then
        local id = redis.call('XADD', key('inbox', node), 'MAXLEN', '~', INBOX_KEPT, '0-*', 'uid', uid)
        to({ node })
        effect('inbox', id:sub(3))
    end
end

-- An effect on what a session's home node keeps of it.
local function effect_home(s, ...)
    if s.home == A.node then
        effect(...)
    else
        tell_node(s.home, s.uid)
    end
end

-- The first entry of its room that a push client still has to get. `confirmed`: "number epoch" of the
-- last one that it is known to have.
local function resume_from(s, r, confirmed)
    local seq, of = (confirmed or ''):match('^(%d+) (%d+)$')
    local kept, first = of and kept_since(r, of), tonumber(s.first) or 1
    return kept and math.max(math.min(tonumber(seq), kept) + 1, first) or first
end

-- The name of the room's manager, a user id; nothing when it has none.
local function manager_name(manager)
    return (manager or '') ~= '' and redis.call('HGET', key('u', manager), 'name') or ''
end

-- Tells the asking node what its client's state is: name, which a client of the original's kind knows in its own
-- spelling only, connection, room, the room's next entry, the next one
-- for this client. `from`: the home it has left, `is_held`: which still lives and says where it ended; `move`:
-- the number of that move.
local function show_home(s, confirmed, from, is_held, move)
    local r, following, resume = {}, 0, 0
    if s.room ~= '' then
        r = hash(key('r', s.room))
        following = log_top(s.room) + 1
        resume = resume_from(s, r, confirmed)
    end
    local name = is_original(s) and s.spelling or s.name
    effect('home', s.uid, name, s.http, s.expires, s.room, r.epoch or '', following, resume, from or '',
        is_held and '1' or '', r.name or '', manager_name(r.manager), move or '', s.stay or 0, fence, r.kind or '',
        is_original(s) and reach(s) or '')
end

-- What the asking node should have of a session about which something has changed.
local function show_here(uid)
    local s = session(uid)
    if s and s.home == A.node then
        show_home(s, redis.call('HGET', key('home', A.node), uid))
    else
        local has_way = s and (has_line(s) or s.http ~= '')
        effect('gone', uid, has_way and 'moved' or s and 'detached' or 'ended')
    end
end

-- Where the client that has attached goes on: behind the entry that it says it has, if that can be of this room,
-- else at its first one. What it has beyond what the log has kept of that epoch is lost: `gap` is the last of it,
-- or 0.
local function resume(s)
    if s.room == '' then
        return
    end
    local r = hash(key('r', s.room))
    if not r.epoch then
        return
    end
    r.id = s.room
    local after, first, gap = tonumber(A.after), tonumber(s.first) or 1, 0
    local top, epoch = log_top(r.id), A.epoch == '' and r.epoch or A.epoch
    if after and after > top then
        renew_epoch(r)
    end
    local kept = after and kept_since(r, epoch)
    local is_of_room = kept and (after <= top or epoch ~= r.epoch)
    local following = is_of_room and math.min(after, kept) + 1 or first
    if is_of_room and after >= following then
        gap = after
    end
    effect('resume', s.uid, r.epoch, following, gap, after and epoch ~= r.epoch and following - 1 or '')
end

-- Takes the session from its home; what its connection there has confirmed.
local function unsettle(s)
    local confirmed = redis.call('HGET', key('home', s.home), s.uid)
    redis.call('HDEL', key('home', s.home), s.uid)
    if s.room ~= '' then
        count_member(s.room, s.home, -1)
    end
    return confirmed or ''
end

-- Makes the asking node the session's home: it holds the push connection from now on. Moves are numbered, so
-- that nodes between which it goes to and fro know which of them a word is about.
local function settle_at(s)
    local from, confirmed, is_living = s.home or '', '', false
    if from == A.node then
        show_home(s, redis.call('HGET', key('home', from), s.uid))
        return
    end
    if from ~= '' then
        confirmed = unsettle(s)
        is_living = redis.call('HEXISTS', key('nodes'), from) == 1
    end
    local line, move = s.line or '', redis.call('HINCRBY', key('u', s.uid), 'move', 1)
    s.home, s.line = A.node, ''
    save(s, 'home', 'line')
    redis.call('HSET', key('home', A.node), s.uid, confirmed)
    if s.room ~= '' then
        count_member(s.room, A.node, 1)
    end
    show_home(s, confirmed, from, is_living and s.http ~= '', move)
    if is_living then
        effect_at(from, 'release', s.uid, A.node, line, move)
        tell_node(from, s.uid)
    end
end

-- True when the 32-bit timestamp a comes after b, by serial number arithmetic.
local function is_after(a, b)
    local ahead = (a - b) % 4294967296
    return ahead > 0 and ahead < 2147483648
end

local function moved(s)
    if A.src and A.src ~= '' and (s.src ~= A.src or s.ip ~= A.ip) then
        local reached = reach(s)
        s.src, s.ip = A.src, A.ip
        save(s, 'src', 'ip')
        if is_original(s) and s.home == A.node and reach(s) ~= reached then
            effect('reach', s.uid, reach(s))
        end
    end
end

-- The session on whose behalf the request comes, renewed; or nil and why it is refused. Who may
-- speak: who shows the session's token (by signature, as bearer, or by its line), or, for one by double MD5
-- that never had a line, who sends from its address.
-- Who sends a datagram moves to this node, through which it hears us; with `stays`, or a line, only one
-- whose home is gone does: what comes by HTTP may take another way each time. A node that drains takes
-- nobody over either.
local function speaker(stays)
    local s = session(A.uid)
    if not s then
        return nil, ERR.NOT_REGISTERED
    end
    if A.token ~= '' then
        if A.token ~= s.token then
            return nil, ERR.SIGNATURE_REQUIRED
        end
        used(s)
        if A.timestamp then
            if not is_after(tonumber(A.timestamp), tonumber(s.timestamp)) then
                return nil, ERR.REPLAYED
            end
            s.timestamp = A.timestamp
            save(s, 'timestamp')
        end
    elseif s.auth ~= 'md5' or s.attached == '1' then
        return nil, ERR.SIGNATURE_REQUIRED
    elseif s.ip ~= A.ip then
        return nil, ERR.ADDRESS_MISMATCH
    end
    moved(s)
    renew(s)
    local had_line = has_line(s)
    stays = stays or A.src == '' or had_line or A.draining
    if s.home ~= A.node and not (stays and redis.call('HEXISTS', key('nodes'), s.home) == 1) then
        settle_at(s)
        if had_line then
            go_away(s)
        end
    end
    return s
end

-- What one who may not speak hears to EXIT and DELETE: OK, if nobody knows it, since it is in no room, and the
-- original's client has no other way out of the one in which it believes to be. Who signs knows better.
local function refusal_to_leave(refused)
    return refused == ERR.NOT_REGISTERED and A.is_bare == '1' and ERR.NONE or refused
end
