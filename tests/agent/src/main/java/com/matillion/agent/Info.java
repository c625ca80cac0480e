package com.matillion.agent;

import java.util.Map;

import org.springframework.boot.actuate.info.Info.Builder;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.stereotype.Component;

/** What /actuator/info answers: the agent's state as its log states it, too. */
@Component
class Info implements InfoContributor {
    static final String VERSION = "2.1.0";
    static final String COMMIT = "abc123";
    static final String BUILT = "2024-01-15T10:30:00Z";

    private final State state;

    Info(State state) {
        this.state = state;
    }

    @Override
    public void contribute(Builder builder) {
        builder.withDetail("agentStatus", state.status.name())
            .withDetail("activeTaskCount", state.tasks())
            .withDetail("activeRequestCount", state.requests)
            .withDetail("openSessionsCount", state.sessions())
            .withDetail("buildInfo",
                Map.of("version", VERSION, "commitHash", COMMIT, "buildTimestamp", BUILT));
    }
}
