--[[
  Whether a key ends before its time.

  Arguments
    key   the key; one that does not exist does not end
    life  that time in milliseconds from now; 0: it has no end
]]
local function ends_before(key, life)
  local left = redis.call('PTTL', key)
  return left >= 0 and (life == 0 or left < life)
end
