--[[
  Publishes a notice.

  Arguments
    channel  'PUBLISH name', or on a Cluster from Redis 7 'SPUBLISH name': only the servers of the slot pass it on then
    text     the notice
]]
local function publish(channel, text)
  local command, name = string.match(channel, '^(%u+) (.+)$')
  redis.call(command, name, text)
end
