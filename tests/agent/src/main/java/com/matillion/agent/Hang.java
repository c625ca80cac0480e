package com.matillion.agent;

import java.io.IOException;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import org.springframework.stereotype.Component;

/** Requests to the Actuator wait while the agent hangs. */
@Component
class Hang implements Filter {
    private final State state;

    Hang(State state) {
        this.state = state;
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        state.pass();
        chain.doFilter(request, response);
    }
}
