--[[
  Gives a key that exists a TTL in milliseconds; 0: it has no end.
]]
local function live_for(key, life)
  if life == 0 then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, life)
  end
end
