-- unsaid: a message that was refused. The original's client looks at no answer, so it is told by a notice (`kind`,
-- `text`), which is in no log; a modern one has its answer.
-- with: base top log session
local s = speaker('stays')
if s and is_original(s) then
    effect_at(s.home, 'inform', s.uid, A.kind, A.text, now)
end
return result(ERR.NONE)
