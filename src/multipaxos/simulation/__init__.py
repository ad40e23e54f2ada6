"""
The simulated twins of the runtime's ports, and a whole cluster on them.

Read it in this order: clock, weather, network, manual_network, disk, server, observation,
observers, staging, processes, troubles, cluster; file_system, file_disk; calls, workload, clients,
fault_plan, faults, mischief, plan, random_run, shrink; statistics, campaign, campaign_workers,
campaign_dask; narration, hand, stage, scenario. Nothing here knows the protocol: it runs the same
classes, through the same driver, as a real server does.
"""
