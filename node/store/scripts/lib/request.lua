-- request: a request's reply is kept for its repetition.

local function reply_name(uid, print)
    return uid .. ':' .. print
end

-- `distance`: how far the reply's sequence number is from the request's.
local function remember(uid, print, code, distance, extra)
    memorize(reply_name(uid, print), code .. '|' .. distance .. '|' .. extra)
end

-- Ends a script that was asked by a request: the reply is kept for a repetition of that request. Not
-- for one whose speaker is unknown: strangers fill no memory.
local function done(code, extra)
    if A.print then
        remember(A.uid, A.print, code, 1, text(extra or ''))
    end
    return result(code, extra)
end

-- The stored answer to this very request, or nil when it is new.
local function repeated()
    local stored = A.print and recall(reply_name(A.uid, A.print))
    if not stored then
        return nil
    end
    local code, distance, extra = stored:match('^(%d+)|(%d+)|(.*)$')
    effect('repeated', distance)
    return result(tonumber(code), extra)
end
