--[[
  Makes a stamp outlive the entry that carries it: its TTL is only ever raised.

  Arguments
    key   the stamp's key, which exists
    life  TTL of the entry in milliseconds; 0: it has no end
]]
local function keep_stamp(key, life)
  local left = redis.call('PTTL', key)
  if left >= 0 then
    if life == 0 then
      redis.call('PERSIST', key)
    elseif left < life then
      redis.call('PEXPIRE', key, life)
    end
  end
end
