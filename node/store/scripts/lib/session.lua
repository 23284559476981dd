-- session: sessions, their home, and who may speak for them.

local function session(uid)
    local s = hash(key('u', uid))
    if not s.state then
        return nil
    end
    s.uid = uid
    return s
end

local function save(s, ...)
    local flat = {}
    for _, field in ipairs({ ... }) do
        flat[#flat + 1] = field
        flat[#flat + 1] = text(s[field])
    end
    redis.call('HSET', key('u', s.uid), unpack(flat))
end

local function renew(s)
    redis.call('ZADD', key('sessions'), now + s.expires * 1000, s.uid)
end

local function address_ip(address)
    return address:match('^([^:]*)')
end

-- Tells the asking node what its client's state is: connection, room, next entry.
local function show_home(s)
    local epoch, following = '', 0
    if s.room ~= '' then
        epoch = redis.call('HGET', key('r', s.room), 'epoch') or ''
        following = log_top(s.room) + 1
    end
    effect('home', s.uid, s.name, s.http, s.expires, s.room, epoch, following)
end

-- Makes the asking node the session's home: it holds the push connection from now on.
local function settle_at(s)
    s.home = A.node
    save(s, 'home')
    show_home(s)
end

-- True when the 32-bit timestamp a comes after b, by serial number arithmetic.
local function is_after(a, b)
    local ahead = (a - b) % 4294967296
    return ahead > 0 and ahead < 2147483648
end

local function moved(s)
    if A.src and A.src ~= '' and (s.src ~= A.src or s.ip ~= A.ip) then
        s.src, s.ip = A.src, A.ip
        save(s, 'src', 'ip')
    end
end

-- The session on whose behalf the request comes, renewed; or nil and why it is refused. Who may
-- speak: who shows the session's token (by signature or as bearer), or, for a session of the
-- original's kind, who sends from its address.
local function speaker()
    local s = session(A.uid)
    if not s then
        return nil, ERR.NOT_REGISTERED
    end
    if A.token ~= '' then
        if A.token ~= s.token then
            return nil, ERR.SIGNATURE_REQUIRED
        end
        if A.timestamp then
            if not is_after(tonumber(A.timestamp), tonumber(s.timestamp)) then
                return nil, ERR.REPLAYED
            end
            s.timestamp = A.timestamp
            save(s, 'timestamp')
        end
    elseif s.auth ~= 'md5' then
        return nil, ERR.SIGNATURE_REQUIRED
    elseif s.ip ~= A.ip then
        return nil, ERR.ADDRESS_MISMATCH
    end
    moved(s)
    renew(s)
    if s.home ~= A.node then
        settle_at(s)
    end
    return s
end
