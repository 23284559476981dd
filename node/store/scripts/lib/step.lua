-- step: the session's state machine. The table MACHINE stands before this, made from session.def.

-- Moves the session if the table allows it; the new state, or nil and the session is as it was.
local function step(s, name)
    local to = MACHINE[s.state .. ' ' .. name]
    if to then
        s.state = to
    end
    return to
end

local function steps(s, ...)
    for _, name in ipairs({ ... }) do
        if not step(s, name) then
            error('illegal step ' .. name .. ' in state ' .. s.state)
        end
    end
end
